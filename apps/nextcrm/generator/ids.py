"""Ids and labels that follow from collection and number, so that nothing has to be remembered to point at a document.

A label is a text that only one document of its collection has, in a column that is carried unchanged: by it a test
finds the row of a document without asking anybody how ids were made.
"""

from __future__ import annotations

from datetime import UTC, datetime

from apps.generating.ids import NumberedIds
from apps.nextcrm.generator.models import FIELDS
from apps.nextcrm.generator.seeds import LOOKUPS

FIRST = int(datetime(2023, 3, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(2025, 10, 31, tzinfo=UTC).timestamp())

OLD_CAMPAIGNS = "crm_campains"
"""What the collection of campaigns was called until September 2023; databases that are older still have it."""

LABELS: dict[str, tuple[str, str]] = {
    "crm_Accounts": ("name", "Account {} s.r.o."),
    "crm_Leads": ("lastName", "Lead-{}"),
    "crm_Opportunities": ("name", "Opportunity {}"),
    "crm_campaigns": ("name", "Campaign {}"),
    OLD_CAMPAIGNS: ("name", "Campaign of old {}"),
    "crm_Opportunities_Sales_Stages": ("name", "Stage {}"),
    "crm_Opportunities_Type": ("name", "Type {}"),
    "crm_Contacts": ("last_name", "Contact-{}"),
    "crm_Contracts": ("title", "Contract {}"),
    "Boards": ("title", "Board {}"),
    "Employees": ("name", "Employee {}"),
    "MyAccount": ("company_name", "Company {}"),
    "Invoices": ("invoice_number", "INV-{}"),
    "invoice_States": ("name", "State {}"),
    "Documents": ("document_name", "Document {}.pdf"),
    "Documents_Types": ("name", "Document type {}"),
    "Sections": ("title", "Section {}"),
    "crm_Industry_Type": ("name", "Industry {}"),
    "modulStatus": ("name", "Modul {}"),
    "Tasks": ("title", "Task {}"),
    "crm_Accounts_Tasks": ("title", "CRM task {}"),
    "tasksComments": ("comment", "Comment {}"),
    "TodoList": ("title", "To do {}"),
    "Users": ("email", "user{}@example.com"),
    "system_Modules_Enabled": ("name", "module {}"),
    "secondBrain_notions": ("notion_db_id", "notion-{}"),
    "openAi_keys": ("organization_id", "org-{}"),
    "systemServices": ("name", "service {}"),
    "gpt_models": ("model", "gpt-x-{}"),
}
"""Field (and column) and text; images have no field at all."""


class Ids(NumberedIds):
    """The ids of one database.

    Args:
        seed: Different seeds, different ids.
        sizes: Documents of each collection.
    """

    def __init__(self, seed: int, sizes: dict[str, int]) -> None:
        super().__init__(seed, sizes, (*FIELDS, OLD_CAMPAIGNS), FIRST, LAST)


def label(collection: str, number: int) -> str:
    """The text by which a document is found."""
    names = LOOKUPS.get(collection, ())
    if number < len(names):
        return str(names[number][LABELS[collection][0]])
    return LABELS[collection][1].format(f"{number:06}")
