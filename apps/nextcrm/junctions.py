"""The ten junctions of NextCRM, and what the application does with them.

| the application | here |
| --- | --- |
| add links when a row is made; no ids change nothing | `DOCUMENTS_TO_TASKS.of(Tasks).connect(session, task, ids)` |
| replace all; no ids clear | `….replace(session, task.id, ids)` |
| add without removing; a repeated pair is no error | `….add(session, task.id, ids)` |
| remove some, from either side | `….remove(session, task.id, ids)`, `DOCUMENTS_TO_TASKS.of(Documents).remove(…)` |
| watchers of accounts and boards | the same on `WATCHERS_OF_ACCOUNT`, `WATCHERS_OF_BOARD` |
| contacts of an opportunity | the same on `CONTACTS_OF_OPPORTUNITY` |
| has a document, has any of several | `select(Tasks).where(DOCUMENTS_TO_TASKS.of(Tasks).has(id))`, `….has_any(ids)` |
| watched by a user | `select(CrmAccounts).where(WATCHERS_OF_ACCOUNT.has(user_id))` |
| with users (id, name, e-mail, avatar) | `select(Boards).options(with_users(WATCHERS_OF_BOARD))` |
| with documents | `select(Tasks).options(with_documents(DOCUMENTS_TO_TASKS.of(Tasks)))` |
| take the users or documents out of the pairs | nothing: `board.users` and `task.documents` are users and documents |
"""

from __future__ import annotations

from typing import TypeVar

from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.orm.interfaces import LoaderOption

from apps.nextcrm import models
from apps.nextcrm.links import Junction, Links
from apps.nextcrm.models import (
    Boards,
    CrmAccounts,
    CrmAccountsTasks,
    CrmContacts,
    CrmLeads,
    CrmOpportunities,
    Documents,
    Invoices,
    Tasks,
    Users,
)

DOCUMENTS_TO_INVOICES = Junction(models.documents_to_invoices, Documents, Invoices)
DOCUMENTS_TO_OPPORTUNITIES = Junction(models.documents_to_opportunities, Documents, CrmOpportunities)
DOCUMENTS_TO_CONTACTS = Junction(models.documents_to_contacts, Documents, CrmContacts)
DOCUMENTS_TO_TASKS = Junction(models.documents_to_tasks, Documents, Tasks)
DOCUMENTS_TO_CRM_ACCOUNTS_TASKS = Junction(models.documents_to_crm_accounts_tasks, Documents, CrmAccountsTasks)
DOCUMENTS_TO_LEADS = Junction(models.documents_to_leads, Documents, CrmLeads)
DOCUMENTS_TO_ACCOUNTS = Junction(models.documents_to_accounts, Documents, CrmAccounts)
ACCOUNT_WATCHERS = Junction(models.account_watchers, CrmAccounts, Users)
BOARD_WATCHERS = Junction(models.board_watchers, Boards, Users)
CONTACTS_TO_OPPORTUNITIES = Junction(models.contacts_to_opportunities, CrmContacts, CrmOpportunities)

WATCHERS_OF_ACCOUNT = ACCOUNT_WATCHERS.of(CrmAccounts)
WATCHERS_OF_BOARD = BOARD_WATCHERS.of(Boards)
CONTACTS_OF_OPPORTUNITY = CONTACTS_TO_OPPORTUNITIES.of(CrmOpportunities)

Owner = TypeVar("Owner", bound=DeclarativeBase)


def with_users(links: Links[Owner, Users]) -> LoaderOption:
    """Load the linked users with the rows: id, name, e-mail and avatar, and nothing else of them."""
    return links.include(Users.id, Users.name, Users.email, Users.avatar)


def with_documents(links: Links[Owner, Documents]) -> LoaderOption:
    """Load the linked documents with the rows."""
    return links.include()
