"""The queries: where each statement stands, what its parameters are drawn from, which indexes are to serve it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from isthmus.state.statements import statements

PACKAGE = "apps.nextcrm.queries"
DRAWS = "draws"
"""File of the statements that draw parameters: a row is one set, its columns have the parameters' names."""


@dataclass(frozen=True)
class Query:
    """One statement of the application.

    Attributes:
        name: Of the statement.
        file: Below `sql`, without `.sql`.
        draw: Statement of `draws.sql` that gives its parameters.
        indexes: The indexes it is there for, all of them.
        whole: Tables of which every row is asked for, so that a sequential scan is right.
    """

    name: str
    file: str
    draw: str
    indexes: tuple[str, ...]
    whole: tuple[str, ...] = ()

    @property
    def sql(self) -> bytes:
        """The statement, with psycopg's named parameters."""
        return statements(self.file, PACKAGE)[self.name]


def _file(file: str, *rows: tuple[str, str, str]) -> tuple[Query, ...]:
    """Queries of one file: name, draw, and the indexes as words, less the ending `_idx`."""
    return tuple(
        Query(name, file, draw, tuple(_full(index) for index in indexes.split())) for name, draw, indexes in rows
    )


def _full(index: str) -> str:
    return index if index.endswith(("_pkey", "_key")) else f"{index}_idx"


QUERIES: tuple[Query, ...] = (
    *_file(
        "accounts",
        ("accounts_page", "pages_of_accounts", "crm_Accounts_createdAt"),
        ("accounts_of_status", "accounts_of_status", "crm_Accounts_status_createdAt"),
        ("accounts_recently_updated", "accounts_updated", "crm_Accounts_updatedAt"),
        ("accounts_of_owner", "account_owners", "crm_Accounts_assigned_to"),
        (
            "account_with_documents_and_watchers",
            "accounts_with_documents",
            "crm_Accounts_pkey DocumentsToAccounts_account_id AccountWatchers_pkey Documents_pkey Users_pkey",
        ),
        ("account_contacts", "accounts_with_contacts", "crm_Contacts_accountsIDs"),
        ("account_opportunities", "accounts_with_opportunities", "crm_Opportunities_account"),
        ("account_open_tasks", "accounts_with_tasks", "crm_Accounts_Tasks_account_taskStatus"),
        ("account_invoices", "accounts_with_invoices", "Invoices_assigned_account_id"),
        ("accounts_watched_by_user", "watchers_of_accounts", "AccountWatchers_user_id crm_Accounts_pkey"),
    ),
    Query("accounts_total", "accounts", "nothing", (), whole=("crm_Accounts",)),
    *_file(
        "people",
        ("contacts_by_activity", "pages_of_contacts", "crm_Contacts_last_activity"),
        ("contacts_of_owner", "contact_owners", "crm_Contacts_assigned_to"),
        ("contacts_with_note", "notes", "crm_Contacts_notes"),
        ("contact_opportunities", "contacts_with_opportunities", "ContactsToOpportunities_pkey crm_Opportunities_pkey"),
        ("contact_documents", "contacts_with_documents", "DocumentsToContacts_contact_id Documents_pkey"),
        ("my_open_leads", "lead_owners", "crm_Leads_assigned_to"),
        ("leads_of_status", "leads_of_status", "crm_Leads_status_createdAt"),
        ("user_by_email", "emails", "Users_email_key"),
        ("active_users", "emails", "Users_active"),
        ("last_logins", "logins", "Users_lastLoginAt"),
    ),
    *_file(
        "opportunities",
        ("pipeline_by_stage", "nothing", "crm_Opportunities_active"),
        ("opportunities_of_stage", "stages", "crm_Opportunities_close_date"),
        ("opportunities_of_stage_and_status", "stages_and_statuses", "crm_Opportunities_status_sales_stage"),
        ("opportunities_of_status", "opportunity_statuses", "crm_Opportunities_status_createdAt"),
        ("opportunities_closing_soon", "closings", "crm_Opportunities_close_date"),
        ("my_opportunities", "opportunity_owners", "crm_Opportunities_assigned_to"),
        (
            "opportunity_contacts",
            "opportunities_with_contacts",
            "ContactsToOpportunities_opportunity_id crm_Contacts_pkey",
        ),
        (
            "opportunity_documents",
            "opportunities_with_documents",
            "DocumentsToOpportunities_opportunity_id Documents_pkey",
        ),
        ("contracts_ending_soon", "endings", "crm_Contracts_endDate"),
    ),
    *_file(
        "tasks",
        ("tasks_due", "tasks_due", "Tasks_active"),
        ("crm_tasks_due", "crm_tasks_due", "crm_Accounts_Tasks_active"),
        ("tasks_of_status", "tasks_due", "Tasks_user_taskStatus"),
        ("boards_of_user", "users_of_boards", "Boards_user Boards_sharedWith"),
        ("favourite_boards", "owners_of_favourites", "Boards_user_favourite"),
        ("boards_watched_by_user", "watchers_of_boards", "BoardWatchers_user_id Boards_pkey"),
        ("board_with_sections_and_tasks", "boards", "Sections_board Tasks_section"),
        ("tasks_with_tag", "task_tags", "Tasks_tags"),
        ("crm_tasks_with_tag", "crm_task_tags", "crm_Accounts_Tasks_tags"),
        ("task_comments", "tasks_with_comments", "tasksComments_task"),
        ("crm_task_comments", "crm_tasks_with_comments", "tasksComments_assigned_crm_account_task"),
        ("task_documents", "tasks_with_documents", "DocumentsToTasks_task_id Documents_pkey"),
        (
            "crm_task_documents",
            "crm_tasks_with_documents",
            "DocumentsToCrmAccountsTasks_crm_accounts_task_id Documents_pkey",
        ),
        ("todos_of_user", "users_with_todos", "TodoList_user"),
    ),
    *_file(
        "documents",
        ("documents_page", "pages_of_documents", "Documents_createdAt"),
        ("documents_recently_updated", "documents_updated", "Documents_updatedAt"),
        ("documents_of_user", "users_of_documents", "Documents_assigned_user"),
        ("documents_with_tag", "document_tags", "Documents_tags"),
        (
            "document_links",
            "documents",
            """DocumentsToAccounts_pkey DocumentsToContacts_pkey DocumentsToLeads_pkey DocumentsToOpportunities_pkey
            DocumentsToTasks_pkey DocumentsToCrmAccountsTasks_pkey DocumentsToInvoices_pkey""",
        ),
        ("lead_documents", "leads_with_documents", "DocumentsToLeads_lead_id Documents_pkey"),
        ("invoice_documents", "invoices_with_documents", "DocumentsToInvoices_invoice_id Documents_pkey"),
        ("invoices_of_status", "invoices_of_status", "Invoices_status_date_created"),
        ("invoices_due", "dues", "Invoices_date_due"),
        ("invoices_with_item", "items", "Invoices_invoice_items"),
    ),
    Query("documents_total", "documents", "nothing", (), whole=("Documents",)),
    *_file(
        "search",
        ("search_accounts", "account_words", "crm_Accounts_search"),
        ("search_contacts", "contact_words", "crm_Contacts_search"),
        ("search_leads", "lead_words", "crm_Leads_search"),
        ("search_opportunities", "opportunity_words", "crm_Opportunities_search"),
        ("search_tasks", "task_words", "Tasks_search"),
        ("search_crm_tasks", "crm_task_words", "crm_Accounts_Tasks_search"),
        ("search_documents", "document_words", "Documents_search"),
        ("search_invoices", "invoice_words", "Invoices_search"),
        (
            "search_everywhere",
            "words",
            """crm_Accounts_search crm_Contacts_search crm_Leads_search crm_Opportunities_search Tasks_search
            crm_Accounts_Tasks_search Documents_search Invoices_search""",
        ),
    ),
)
"""Every query, in the order of the files."""
