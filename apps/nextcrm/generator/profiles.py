"""How many documents each collection has: as the real run read them, or a busy database of any size. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from apps.nextcrm.generator.models import FIELDS

AS_RUN: dict[str, int] = {
    "Users": 7950,
    "Tasks": 480,
    "Sections": 393,
    "Boards": 231,
    "crm_Accounts": 44,
    "crm_Contacts": 43,
    "tasksComments": 38,
    "crm_Opportunities": 27,
    "crm_Leads": 21,
    "secondBrain_notions": 14,
    "system_Modules_Enabled": 10,
    "crm_Accounts_Tasks": 10,
    "crm_Opportunities_Sales_Stages": 9,
    "crm_Opportunities_Type": 4,
    "crm_Industry_Type": 3,
    "gpt_models": 2,
    "crm_campaigns": 2,
    "Invoices": 2,
    "openAi_keys": 2,
    "systemServices": 1,
    "MyAccount": 1,
    "crm_Contracts": 1,
}
"""The 9,288 documents of the run of November 2025; the other seven collections were there and empty."""

_PER_MILLION: dict[str, int] = {
    "crm_Accounts": 120_000,
    "crm_Contacts": 150_000,
    "crm_Opportunities": 130_000,
    "Documents": 150_000,
    "crm_Accounts_Tasks": 60_000,
    "Invoices": 60_000,
    "crm_Leads": 50_000,
    "tasksComments": 50_000,
    "Users": 20_000,
    "Sections": 20_000,
    "crm_Contracts": 10_000,
    "Boards": 8_000,
    "TodoList": 1_000,
    "openAi_keys": 500,
    "secondBrain_notions": 300,
    "Employees": 200,
    "ImageUpload": 100,
}
"""Tasks take what is left: about 170,000 of a million."""

_LOOKUPS: dict[str, int] = {
    "crm_Industry_Type": 3,
    "crm_Opportunities_Sales_Stages": 9,
    "crm_Opportunities_Type": 4,
    "crm_campaigns": 40,
    "Documents_Types": 12,
    "invoice_States": 6,
    "modulStatus": 5,
    "system_Modules_Enabled": 10,
    "gpt_models": 3,
    "systemServices": 4,
    "MyAccount": 1,
}


@dataclass(frozen=True)
class Links:
    """How full a junction is.

    Attributes:
        on_left: Pairs that the left side's arrays name, some of them on the right side as well.
        right_only: Pairs that only the right side's arrays name.
    """

    on_left: int
    right_only: int


@dataclass(frozen=True)
class Profile:
    """A kind of database.

    Attributes:
        sizes: Documents of each collection, all 29.
        links: Pairs of each junction, by its name.
        silent_only: Plant only what the real run's log would not have shown, because it was true of that run.
    """

    name: str
    sizes: dict[str, int]
    links: dict[str, Links]
    silent_only: bool


def as_run() -> Profile:
    """The database of the real run: its counts, its watchers, and nothing that would have stopped its batches."""
    sizes = {name: AS_RUN.get(name, 0) for name in FIELDS}
    links = {
        "AccountWatchers": Links(29, 6),
        "BoardWatchers": Links(114, 17),
        "ContactsToOpportunities": Links(31, 5),
    }
    return Profile("as-run", sizes, links, silent_only=True)


def busy(documents: int, fewest: Mapping[str, int]) -> Profile:
    """A database of about `documents` documents with every collection and every junction in use.

    Args:
        documents: In all collections together. Less than the fewest of all collections gives these.
        fewest: What each collection needs, so that everything that is planted in it has a document of its own.
    """
    sizes = {name: max(_LOOKUPS.get(name, 0), fewest.get(name, 0)) for name in FIELDS}
    for name, share in _PER_MILLION.items():
        sizes[name] = max(share * documents // 1_000_000, fewest.get(name, 0), 8)
    rest = documents - sum(amount for name, amount in sizes.items() if name != "Tasks")
    sizes["Tasks"] = max(rest, fewest.get("Tasks", 0), 8)
    links = {
        "DocumentsToInvoices": _links(sizes["Invoices"]),
        "DocumentsToOpportunities": _links(sizes["crm_Opportunities"]),
        "DocumentsToContacts": _links(sizes["crm_Contacts"]),
        "DocumentsToTasks": _links(sizes["Tasks"]),
        "DocumentsToCrmAccountsTasks": Links(sizes["crm_Accounts_Tasks"], 0),
        "DocumentsToLeads": _links(sizes["crm_Leads"]),
        "DocumentsToAccounts": _links(sizes["crm_Accounts"]),
        "AccountWatchers": _links(sizes["crm_Accounts"]),
        "BoardWatchers": _links(sizes["Boards"] * 3),
        "ContactsToOpportunities": _links(sizes["crm_Opportunities"]),
    }
    return Profile("busy", sizes, links, silent_only=False)


def _links(pairs: int) -> Links:
    """So many pairs, one in seven of them on the right side only."""
    return Links(pairs - pairs // 7, pairs // 7)
