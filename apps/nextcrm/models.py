"""The tables of a mapping as SQLAlchemy 2 models, made by `isthmus ddl --format sqlalchemy`."""

import datetime
from typing import Any, Literal
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.event import listen
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """What all models share."""

    metadata = sa.MetaData(schema="public")


metadata = Base.metadata
listen(metadata, "before_create", sa.DDL('CREATE SCHEMA IF NOT EXISTS "public"'))
listen(
    metadata,
    "before_create",
    sa.DDL(
        "DO $$ BEGIN IF EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = "
        "'vector') THEN CREATE EXTENSION IF NOT EXISTS \"vector\"; END IF; END $$",
    ),
)
listen(
    metadata,
    "before_create",
    sa.DDL(
        'CREATE OR REPLACE FUNCTION "public"."isthmus_array_text"(elements text[]) RETURNS text\n  '
        "LANGUAGE sql IMMUTABLE PARALLEL SAFE\n  AS $$ SELECT pg_catalog.array_to_string(elements, "
        "' ') $$",
    ),
)

CrmLeadStatus = Literal["NEW", "CONTACTED", "QUALIFIED", "LOST"]
crm_lead_status_type = postgresql.ENUM(
    "NEW",
    "CONTACTED",
    "QUALIFIED",
    "LOST",
    name="crm_Lead_Status",
    metadata=metadata,
)

CrmLeadType = Literal["DEMO"]
crm_lead_type_type = postgresql.ENUM("DEMO", name="crm_Lead_Type", metadata=metadata)

CrmOpportunityStatus = Literal["ACTIVE", "INACTIVE", "PENDING", "CLOSED"]
crm_opportunity_status_type = postgresql.ENUM(
    "ACTIVE",
    "INACTIVE",
    "PENDING",
    "CLOSED",
    name="crm_Opportunity_Status",
    metadata=metadata,
)

CrmContactType = Literal["Customer", "Partner", "Vendor", "Prospect"]
crm_contact_type_type = postgresql.ENUM(
    "Customer",
    "Partner",
    "Vendor",
    "Prospect",
    name="crm_Contact_Type",
    metadata=metadata,
)

CrmContractsStatus = Literal["NOTSTARTED", "INPROGRESS", "SIGNED"]
crm_contracts_status_type = postgresql.ENUM(
    "NOTSTARTED",
    "INPROGRESS",
    "SIGNED",
    name="crm_Contracts_Status",
    metadata=metadata,
)

DocumentSystemType = Literal["INVOICE", "RECEIPT", "CONTRACT", "OFFER", "OTHER"]
document_system_type_type = postgresql.ENUM(
    "INVOICE",
    "RECEIPT",
    "CONTRACT",
    "OFFER",
    "OTHER",
    name="DocumentSystemType",
    metadata=metadata,
)

TaskStatus = Literal["ACTIVE", "PENDING", "COMPLETE"]
task_status_type = postgresql.ENUM("ACTIVE", "PENDING", "COMPLETE", name="taskStatus", metadata=metadata)

ActiveStatus = Literal["ACTIVE", "INACTIVE", "PENDING"]
active_status_type = postgresql.ENUM("ACTIVE", "INACTIVE", "PENDING", name="ActiveStatus", metadata=metadata)

Language = Literal["cz", "en", "de", "uk"]
language_type = postgresql.ENUM("cz", "en", "de", "uk", name="Language", metadata=metadata)

GptStatus = Literal["ACTIVE", "INACTIVE"]
gpt_status_type = postgresql.ENUM("ACTIVE", "INACTIVE", name="gptStatus", metadata=metadata)

documents_to_invoices = sa.Table(
    "DocumentsToInvoices",
    metadata,
    sa.Column("document_id", postgresql.UUID(), nullable=False),
    sa.Column("invoice_id", postgresql.UUID(), nullable=False),
    sa.PrimaryKeyConstraint("document_id", "invoice_id", name="DocumentsToInvoices_pkey"),
    sa.ForeignKeyConstraint(
        ["document_id"],
        ["public.Documents.id"],
        name="DocumentsToInvoices_document_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.ForeignKeyConstraint(
        ["invoice_id"],
        ["public.Invoices.id"],
        name="DocumentsToInvoices_invoice_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.Index("DocumentsToInvoices_invoice_id_idx", "invoice_id"),
)

documents_to_opportunities = sa.Table(
    "DocumentsToOpportunities",
    metadata,
    sa.Column("document_id", postgresql.UUID(), nullable=False),
    sa.Column("opportunity_id", postgresql.UUID(), nullable=False),
    sa.PrimaryKeyConstraint("document_id", "opportunity_id", name="DocumentsToOpportunities_pkey"),
    sa.ForeignKeyConstraint(
        ["document_id"],
        ["public.Documents.id"],
        name="DocumentsToOpportunities_document_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.ForeignKeyConstraint(
        ["opportunity_id"],
        ["public.crm_Opportunities.id"],
        name="DocumentsToOpportunities_opportunity_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.Index("DocumentsToOpportunities_opportunity_id_idx", "opportunity_id"),
)

documents_to_contacts = sa.Table(
    "DocumentsToContacts",
    metadata,
    sa.Column("document_id", postgresql.UUID(), nullable=False),
    sa.Column("contact_id", postgresql.UUID(), nullable=False),
    sa.PrimaryKeyConstraint("document_id", "contact_id", name="DocumentsToContacts_pkey"),
    sa.ForeignKeyConstraint(
        ["document_id"],
        ["public.Documents.id"],
        name="DocumentsToContacts_document_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.ForeignKeyConstraint(
        ["contact_id"],
        ["public.crm_Contacts.id"],
        name="DocumentsToContacts_contact_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.Index("DocumentsToContacts_contact_id_idx", "contact_id"),
)

documents_to_tasks = sa.Table(
    "DocumentsToTasks",
    metadata,
    sa.Column("document_id", postgresql.UUID(), nullable=False),
    sa.Column("task_id", postgresql.UUID(), nullable=False),
    sa.PrimaryKeyConstraint("document_id", "task_id", name="DocumentsToTasks_pkey"),
    sa.ForeignKeyConstraint(
        ["document_id"],
        ["public.Documents.id"],
        name="DocumentsToTasks_document_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.ForeignKeyConstraint(
        ["task_id"],
        ["public.Tasks.id"],
        name="DocumentsToTasks_task_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.Index("DocumentsToTasks_task_id_idx", "task_id"),
)

documents_to_crm_accounts_tasks = sa.Table(
    "DocumentsToCrmAccountsTasks",
    metadata,
    sa.Column("document_id", postgresql.UUID(), nullable=False),
    sa.Column("crm_accounts_task_id", postgresql.UUID(), nullable=False),
    sa.PrimaryKeyConstraint("document_id", "crm_accounts_task_id", name="DocumentsToCrmAccountsTasks_pkey"),
    sa.ForeignKeyConstraint(
        ["document_id"],
        ["public.Documents.id"],
        name="DocumentsToCrmAccountsTasks_document_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.ForeignKeyConstraint(
        ["crm_accounts_task_id"],
        ["public.crm_Accounts_Tasks.id"],
        name="DocumentsToCrmAccountsTasks_crm_accounts_task_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.Index("DocumentsToCrmAccountsTasks_crm_accounts_task_id_idx", "crm_accounts_task_id"),
)

documents_to_leads = sa.Table(
    "DocumentsToLeads",
    metadata,
    sa.Column("document_id", postgresql.UUID(), nullable=False),
    sa.Column("lead_id", postgresql.UUID(), nullable=False),
    sa.PrimaryKeyConstraint("document_id", "lead_id", name="DocumentsToLeads_pkey"),
    sa.ForeignKeyConstraint(
        ["document_id"],
        ["public.Documents.id"],
        name="DocumentsToLeads_document_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.ForeignKeyConstraint(
        ["lead_id"],
        ["public.crm_Leads.id"],
        name="DocumentsToLeads_lead_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.Index("DocumentsToLeads_lead_id_idx", "lead_id"),
)

documents_to_accounts = sa.Table(
    "DocumentsToAccounts",
    metadata,
    sa.Column("document_id", postgresql.UUID(), nullable=False),
    sa.Column("account_id", postgresql.UUID(), nullable=False),
    sa.PrimaryKeyConstraint("document_id", "account_id", name="DocumentsToAccounts_pkey"),
    sa.ForeignKeyConstraint(
        ["document_id"],
        ["public.Documents.id"],
        name="DocumentsToAccounts_document_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.ForeignKeyConstraint(
        ["account_id"],
        ["public.crm_Accounts.id"],
        name="DocumentsToAccounts_account_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.Index("DocumentsToAccounts_account_id_idx", "account_id"),
)

account_watchers = sa.Table(
    "AccountWatchers",
    metadata,
    sa.Column("account_id", postgresql.UUID(), nullable=False),
    sa.Column("user_id", postgresql.UUID(), nullable=False),
    sa.PrimaryKeyConstraint("account_id", "user_id", name="AccountWatchers_pkey"),
    sa.ForeignKeyConstraint(
        ["account_id"],
        ["public.crm_Accounts.id"],
        name="AccountWatchers_account_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.ForeignKeyConstraint(
        ["user_id"],
        ["public.Users.id"],
        name="AccountWatchers_user_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.Index("AccountWatchers_user_id_idx", "user_id"),
)

board_watchers = sa.Table(
    "BoardWatchers",
    metadata,
    sa.Column("board_id", postgresql.UUID(), nullable=False),
    sa.Column("user_id", postgresql.UUID(), nullable=False),
    sa.PrimaryKeyConstraint("board_id", "user_id", name="BoardWatchers_pkey"),
    sa.ForeignKeyConstraint(
        ["board_id"],
        ["public.Boards.id"],
        name="BoardWatchers_board_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.ForeignKeyConstraint(
        ["user_id"],
        ["public.Users.id"],
        name="BoardWatchers_user_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.Index("BoardWatchers_user_id_idx", "user_id"),
)

contacts_to_opportunities = sa.Table(
    "ContactsToOpportunities",
    metadata,
    sa.Column("contact_id", postgresql.UUID(), nullable=False),
    sa.Column("opportunity_id", postgresql.UUID(), nullable=False),
    sa.PrimaryKeyConstraint("contact_id", "opportunity_id", name="ContactsToOpportunities_pkey"),
    sa.ForeignKeyConstraint(
        ["contact_id"],
        ["public.crm_Contacts.id"],
        name="ContactsToOpportunities_contact_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.ForeignKeyConstraint(
        ["opportunity_id"],
        ["public.crm_Opportunities.id"],
        name="ContactsToOpportunities_opportunity_id_fkey",
        onupdate="CASCADE",
        ondelete="CASCADE",
    ),
    sa.Index("ContactsToOpportunities_opportunity_id_idx", "opportunity_id"),
)


class CrmAccounts(Base):
    """A row of crm_Accounts."""

    __tablename__ = "crm_Accounts"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="crm_Accounts_pkey"),
        sa.ForeignKeyConstraint(
            ["createdBy"],
            ["public.Users.id"],
            name="crm_Accounts_createdBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["updatedBy"],
            ["public.Users.id"],
            name="crm_Accounts_updatedBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["assigned_to"],
            ["public.Users.id"],
            name="crm_Accounts_assigned_to_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["industry"],
            ["public.crm_Industry_Type.id"],
            name="crm_Accounts_industry_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.Index("crm_Accounts_createdAt_idx", "createdAt"),
        sa.Index("crm_Accounts_createdBy_idx", "createdBy"),
        sa.Index("crm_Accounts_updatedAt_idx", "updatedAt"),
        sa.Index("crm_Accounts_updatedBy_idx", "updatedBy"),
        sa.Index("crm_Accounts_assigned_to_idx", "assigned_to"),
        sa.Index("crm_Accounts_industry_idx", "industry"),
        sa.Index("crm_Accounts_status_idx", "status"),
        sa.Index("crm_Accounts_type_idx", "type"),
        sa.Index("crm_Accounts_status_createdAt_idx", "status", "createdAt"),
        sa.Index(
            "crm_Accounts_search_idx",
            sa.literal_column("(to_tsvector('simple'::regconfig, coalesce(\"name\", '')))", postgresql.TSVECTOR()),
            postgresql_using="gin",
            postgresql_where=sa.literal_column("(octet_length(coalesce(\"name\", '')) <= 262144\n)"),
        ),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    createdAt: Mapped[datetime.datetime] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    createdBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    updatedAt: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    updatedBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    annual_revenue: Mapped[str | None] = mapped_column(postgresql.TEXT())
    assigned_to: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    billing_city: Mapped[str | None] = mapped_column(postgresql.TEXT())
    billing_country: Mapped[str | None] = mapped_column(postgresql.TEXT())
    billing_postal_code: Mapped[str | None] = mapped_column(postgresql.TEXT())
    billing_state: Mapped[str | None] = mapped_column(postgresql.TEXT())
    billing_street: Mapped[str | None] = mapped_column(postgresql.TEXT())
    company_id: Mapped[str | None] = mapped_column(postgresql.TEXT())
    description: Mapped[str | None] = mapped_column(postgresql.TEXT())
    email: Mapped[str | None] = mapped_column(postgresql.TEXT())
    employees: Mapped[str | None] = mapped_column(postgresql.TEXT())
    fax: Mapped[str | None] = mapped_column(postgresql.TEXT())
    industry: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    member_of: Mapped[str | None] = mapped_column(postgresql.TEXT())
    name: Mapped[str] = mapped_column(postgresql.TEXT())
    office_phone: Mapped[str | None] = mapped_column(postgresql.TEXT())
    shipping_city: Mapped[str | None] = mapped_column(postgresql.TEXT())
    shipping_country: Mapped[str | None] = mapped_column(postgresql.TEXT())
    shipping_postal_code: Mapped[str | None] = mapped_column(postgresql.TEXT())
    shipping_state: Mapped[str | None] = mapped_column(postgresql.TEXT())
    shipping_street: Mapped[str | None] = mapped_column(postgresql.TEXT())
    status: Mapped[str | None] = mapped_column(postgresql.TEXT(), server_default=sa.literal_column("'Inactive'"))
    type: Mapped[str | None] = mapped_column(postgresql.TEXT(), server_default=sa.literal_column("'Customer'"))
    vat: Mapped[str | None] = mapped_column(postgresql.TEXT())
    website: Mapped[str | None] = mapped_column(postgresql.TEXT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    createdBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[createdBy],
        back_populates="crm_accounts_by_created_by",
    )
    updatedBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[updatedBy],
        back_populates="crm_accounts_by_updated_by",
    )
    assigned_to_row: Mapped["Users | None"] = relationship(
        foreign_keys=[assigned_to],
        back_populates="crm_accounts_by_assigned_to",
    )
    industry_row: Mapped["CrmIndustryType | None"] = relationship(back_populates="crm_accounts")
    crm_leads: Mapped[list["CrmLeads"]] = relationship(passive_deletes="all", back_populates="accountsIDs_row")
    crm_opportunities: Mapped[list["CrmOpportunities"]] = relationship(
        passive_deletes="all",
        back_populates="account_row",
    )
    crm_contacts_by_account: Mapped[list["CrmContacts"]] = relationship(
        foreign_keys="[CrmContacts.account]",
        passive_deletes="all",
        back_populates="account_row",
    )
    crm_contacts_by_accounts_ids: Mapped[list["CrmContacts"]] = relationship(
        foreign_keys="[CrmContacts.accountsIDs]",
        passive_deletes="all",
        back_populates="accountsIDs_row",
    )
    crm_contracts: Mapped[list["CrmContracts"]] = relationship(passive_deletes="all", back_populates="account_row")
    invoices: Mapped[list["Invoices"]] = relationship(passive_deletes="all", back_populates="assigned_account")
    crm_accounts_tasks: Mapped[list["CrmAccountsTasks"]] = relationship(
        passive_deletes="all",
        back_populates="account_row",
    )
    documents: Mapped[list["Documents"]] = relationship(
        secondary=documents_to_accounts,
        passive_deletes=True,
        back_populates="crm_accounts",
    )
    users: Mapped[list["Users"]] = relationship(
        secondary=account_watchers,
        passive_deletes=True,
        back_populates="crm_accounts_by_account_watchers",
    )


class CrmLeads(Base):
    """A row of crm_Leads."""

    __tablename__ = "crm_Leads"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="crm_Leads_pkey"),
        sa.ForeignKeyConstraint(
            ["createdBy"],
            ["public.Users.id"],
            name="crm_Leads_createdBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["updatedBy"],
            ["public.Users.id"],
            name="crm_Leads_updatedBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["assigned_to"],
            ["public.Users.id"],
            name="crm_Leads_assigned_to_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["accountsIDs"],
            ["public.crm_Accounts.id"],
            name="crm_Leads_accountsIDs_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.Index("crm_Leads_createdAt_idx", "createdAt"),
        sa.Index("crm_Leads_createdBy_idx", "createdBy"),
        sa.Index("crm_Leads_updatedAt_idx", "updatedAt"),
        sa.Index("crm_Leads_updatedBy_idx", "updatedBy"),
        sa.Index("crm_Leads_status_idx", "status"),
        sa.Index("crm_Leads_type_idx", "type"),
        sa.Index("crm_Leads_assigned_to_idx", "assigned_to"),
        sa.Index("crm_Leads_accountsIDs_idx", "accountsIDs"),
        sa.Index("crm_Leads_status_createdAt_idx", "status", "createdAt"),
        sa.Index(
            "crm_Leads_search_idx",
            sa.literal_column(
                "(to_tsvector('simple'::regconfig, coalesce(\"firstName\", '') || ' ' || "
                "coalesce(\"lastName\", '') || ' ' || coalesce(\"company\", '')))",
                postgresql.TSVECTOR(),
            ),
            postgresql_using="gin",
            postgresql_where=sa.literal_column(
                "(octet_length(coalesce(\"firstName\", '') || ' ' || coalesce(\"lastName\", '') || "
                "' ' || coalesce(\"company\", '')) <= 262144\n)",
            ),
        ),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER(), server_default=sa.literal_column("0"))
    createdAt: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    createdBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    updatedAt: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    updatedBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    firstName: Mapped[str | None] = mapped_column(postgresql.TEXT())
    lastName: Mapped[str] = mapped_column(postgresql.TEXT())
    company: Mapped[str | None] = mapped_column(postgresql.TEXT())
    jobTitle: Mapped[str | None] = mapped_column(postgresql.TEXT())
    email: Mapped[str | None] = mapped_column(postgresql.TEXT())
    phone: Mapped[str | None] = mapped_column(postgresql.TEXT())
    description: Mapped[str | None] = mapped_column(postgresql.TEXT())
    lead_source: Mapped[str | None] = mapped_column(postgresql.TEXT())
    refered_by: Mapped[str | None] = mapped_column(postgresql.TEXT())
    campaign: Mapped[str | None] = mapped_column(postgresql.TEXT())
    status: Mapped[str | None] = mapped_column(postgresql.TEXT(), server_default=sa.literal_column("'NEW'"))
    type: Mapped[str | None] = mapped_column(postgresql.TEXT(), server_default=sa.literal_column("'DEMO'"))
    assigned_to: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    accountsIDs: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    createdBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[createdBy],
        back_populates="crm_leads_by_created_by",
    )
    updatedBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[updatedBy],
        back_populates="crm_leads_by_updated_by",
    )
    assigned_to_row: Mapped["Users | None"] = relationship(
        foreign_keys=[assigned_to],
        back_populates="crm_leads_by_assigned_to",
    )
    accountsIDs_row: Mapped["CrmAccounts | None"] = relationship(back_populates="crm_leads")
    documents: Mapped[list["Documents"]] = relationship(
        secondary=documents_to_leads,
        passive_deletes=True,
        back_populates="crm_leads",
    )


class CrmOpportunities(Base):
    """A row of crm_Opportunities."""

    __tablename__ = "crm_Opportunities"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="crm_Opportunities_pkey"),
        sa.ForeignKeyConstraint(
            ["account"],
            ["public.crm_Accounts.id"],
            name="crm_Opportunities_account_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["assigned_to"],
            ["public.Users.id"],
            name="crm_Opportunities_assigned_to_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["campaign"],
            ["public.crm_campaigns.id"],
            name="crm_Opportunities_campaign_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["contact"],
            ["public.crm_Contacts.id"],
            name="crm_Opportunities_contact_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["public.Users.id"],
            name="crm_Opportunities_created_by_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["createdBy"],
            ["public.Users.id"],
            name="crm_Opportunities_createdBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["updatedBy"],
            ["public.Users.id"],
            name="crm_Opportunities_updatedBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["last_activity_by"],
            ["public.Users.id"],
            name="crm_Opportunities_last_activity_by_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["sales_stage"],
            ["public.crm_Opportunities_Sales_Stages.id"],
            name="crm_Opportunities_sales_stage_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["type"],
            ["public.crm_Opportunities_Type.id"],
            name="crm_Opportunities_type_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.Index("crm_Opportunities_account_idx", "account"),
        sa.Index("crm_Opportunities_assigned_to_idx", "assigned_to"),
        sa.Index("crm_Opportunities_campaign_idx", "campaign"),
        sa.Index("crm_Opportunities_close_date_idx", "close_date"),
        sa.Index("crm_Opportunities_contact_idx", "contact"),
        sa.Index("crm_Opportunities_created_by_idx", "created_by"),
        sa.Index("crm_Opportunities_createdBy_idx", "createdBy"),
        sa.Index("crm_Opportunities_createdAt_idx", "createdAt"),
        sa.Index("crm_Opportunities_updatedAt_idx", "updatedAt"),
        sa.Index("crm_Opportunities_updatedBy_idx", "updatedBy"),
        sa.Index("crm_Opportunities_last_activity_by_idx", "last_activity_by"),
        sa.Index("crm_Opportunities_sales_stage_idx", "sales_stage"),
        sa.Index("crm_Opportunities_type_idx", "type"),
        sa.Index("crm_Opportunities_status_idx", "status"),
        sa.Index("crm_Opportunities_status_sales_stage_idx", "status", "sales_stage"),
        sa.Index("crm_Opportunities_status_createdAt_idx", "status", "createdAt"),
        sa.Index(
            "crm_Opportunities_active_idx",
            "sales_stage",
            "budget",
            "expected_revenue",
            postgresql_where=sa.literal_column("(status = 'ACTIVE'\n)"),
        ),
        sa.Index(
            "crm_Opportunities_search_idx",
            sa.literal_column(
                "(to_tsvector('simple'::regconfig, coalesce(\"name\", '') || ' ' || coalesce(\"description\", '')))",
                postgresql.TSVECTOR(),
            ),
            postgresql_using="gin",
            postgresql_where=sa.literal_column(
                "(octet_length(coalesce(\"name\", '') || ' ' || coalesce(\"description\", '')) <= 262144\n)",
            ),
        ),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER(), server_default=sa.literal_column("0"))
    account: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    assigned_to: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    budget: Mapped[int] = mapped_column(postgresql.BIGINT(), server_default=sa.literal_column("0"))
    campaign: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    close_date: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    contact: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    created_by: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    createdBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    created_on: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    createdAt: Mapped[datetime.datetime] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    last_activity: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    updatedAt: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    updatedBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    last_activity_by: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    currency: Mapped[str | None] = mapped_column(postgresql.TEXT())
    description: Mapped[str | None] = mapped_column(postgresql.TEXT())
    expected_revenue: Mapped[int] = mapped_column(postgresql.BIGINT(), server_default=sa.literal_column("0"))
    name: Mapped[str | None] = mapped_column(postgresql.TEXT())
    next_step: Mapped[str | None] = mapped_column(postgresql.TEXT())
    sales_stage: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    type: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    status: Mapped[CrmOpportunityStatus | None] = mapped_column(
        crm_opportunity_status_type,
        server_default=sa.literal_column("'ACTIVE'"),
    )
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    account_row: Mapped["CrmAccounts | None"] = relationship(back_populates="crm_opportunities")
    assigned_to_row: Mapped["Users | None"] = relationship(
        foreign_keys=[assigned_to],
        back_populates="crm_opportunities_by_assigned_to",
    )
    campaign_row: Mapped["CrmCampaigns | None"] = relationship(back_populates="crm_opportunities")
    contact_row: Mapped["CrmContacts | None"] = relationship(back_populates="crm_opportunities_by_contact")
    created_by_row: Mapped["Users | None"] = relationship(
        foreign_keys=[created_by],
        back_populates="crm_opportunities_by_created_by",
    )
    createdBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[createdBy],
        back_populates="crm_opportunities_by_created_by_",
    )
    updatedBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[updatedBy],
        back_populates="crm_opportunities_by_updated_by",
    )
    last_activity_by_row: Mapped["Users | None"] = relationship(
        foreign_keys=[last_activity_by],
        back_populates="crm_opportunities_by_last_activity_by",
    )
    sales_stage_row: Mapped["CrmOpportunitiesSalesStages | None"] = relationship(back_populates="crm_opportunities")
    type_row: Mapped["CrmOpportunitiesType | None"] = relationship(back_populates="crm_opportunities")
    documents: Mapped[list["Documents"]] = relationship(
        secondary=documents_to_opportunities,
        passive_deletes=True,
        back_populates="crm_opportunities",
    )
    crm_contacts: Mapped[list["CrmContacts"]] = relationship(
        secondary=contacts_to_opportunities,
        passive_deletes=True,
        back_populates="crm_opportunities_by_contacts_to_opportunities",
    )


class CrmCampaigns(Base):
    """A row of crm_campaigns."""

    __tablename__ = "crm_campaigns"
    __table_args__ = (sa.PrimaryKeyConstraint("id", name="crm_campaigns_pkey"),)

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    name: Mapped[str] = mapped_column(postgresql.TEXT())
    description: Mapped[str | None] = mapped_column(postgresql.TEXT())
    status: Mapped[str | None] = mapped_column(postgresql.TEXT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    crm_opportunities: Mapped[list["CrmOpportunities"]] = relationship(
        passive_deletes="all",
        back_populates="campaign_row",
    )


class CrmOpportunitiesSalesStages(Base):
    """A row of crm_Opportunities_Sales_Stages."""

    __tablename__ = "crm_Opportunities_Sales_Stages"
    __table_args__ = (sa.PrimaryKeyConstraint("id", name="crm_Opportunities_Sales_Stages_pkey"),)

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    name: Mapped[str] = mapped_column(postgresql.TEXT())
    probability: Mapped[int | None] = mapped_column(postgresql.BIGINT())
    order: Mapped[int | None] = mapped_column(postgresql.BIGINT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    crm_opportunities: Mapped[list["CrmOpportunities"]] = relationship(
        passive_deletes="all",
        back_populates="sales_stage_row",
    )


class CrmOpportunitiesType(Base):
    """A row of crm_Opportunities_Type."""

    __tablename__ = "crm_Opportunities_Type"
    __table_args__ = (sa.PrimaryKeyConstraint("id", name="crm_Opportunities_Type_pkey"),)

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    name: Mapped[str] = mapped_column(postgresql.TEXT())
    order: Mapped[int | None] = mapped_column(postgresql.BIGINT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    crm_opportunities: Mapped[list["CrmOpportunities"]] = relationship(passive_deletes="all", back_populates="type_row")


class CrmContacts(Base):
    """A row of crm_Contacts."""

    __tablename__ = "crm_Contacts"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="crm_Contacts_pkey"),
        sa.ForeignKeyConstraint(
            ["account"],
            ["public.crm_Accounts.id"],
            name="crm_Contacts_account_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["assigned_to"],
            ["public.Users.id"],
            name="crm_Contacts_assigned_to_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["created_by"],
            ["public.Users.id"],
            name="crm_Contacts_created_by_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["createdBy"],
            ["public.Users.id"],
            name="crm_Contacts_createdBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["updatedBy"],
            ["public.Users.id"],
            name="crm_Contacts_updatedBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["last_activity_by"],
            ["public.Users.id"],
            name="crm_Contacts_last_activity_by_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["accountsIDs"],
            ["public.crm_Accounts.id"],
            name="crm_Contacts_accountsIDs_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.Index("crm_Contacts_account_idx", "account"),
        sa.Index("crm_Contacts_assigned_to_idx", "assigned_to"),
        sa.Index("crm_Contacts_created_by_idx", "created_by"),
        sa.Index("crm_Contacts_createdBy_idx", "createdBy"),
        sa.Index("crm_Contacts_cratedAt_idx", "cratedAt"),
        sa.Index("crm_Contacts_last_activity_idx", "last_activity"),
        sa.Index("crm_Contacts_updatedAt_idx", "updatedAt"),
        sa.Index("crm_Contacts_updatedBy_idx", "updatedBy"),
        sa.Index("crm_Contacts_last_activity_by_idx", "last_activity_by"),
        sa.Index("crm_Contacts_status_idx", "status"),
        sa.Index("crm_Contacts_type_idx", "type"),
        sa.Index("crm_Contacts_notes_idx", "notes", postgresql_using="gin"),
        sa.Index("crm_Contacts_accountsIDs_idx", "accountsIDs"),
        sa.Index(
            "crm_Contacts_search_idx",
            sa.literal_column(
                "(to_tsvector('simple'::regconfig, coalesce(\"first_name\", '') || ' ' || "
                "coalesce(\"last_name\", '') || ' ' || "
                'coalesce("public"."isthmus_array_text"("notes"::text[]), \'\')))',
                postgresql.TSVECTOR(),
            ),
            postgresql_using="gin",
            postgresql_where=sa.literal_column(
                "(octet_length(coalesce(\"first_name\", '') || ' ' || coalesce(\"last_name\", '') "
                '|| \' \' || coalesce("public"."isthmus_array_text"("notes"::text[]), \'\')) <= '
                "262144\n)",
            ),
        ),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER(), server_default=sa.literal_column("0"))
    account: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    assigned_to: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    birthday: Mapped[str | None] = mapped_column(postgresql.TEXT())
    created_by: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    createdBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    created_on: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    cratedAt: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    last_activity: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    updatedAt: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    updatedBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    last_activity_by: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    description: Mapped[str | None] = mapped_column(postgresql.TEXT())
    email: Mapped[str | None] = mapped_column(postgresql.TEXT())
    personal_email: Mapped[str | None] = mapped_column(postgresql.TEXT())
    first_name: Mapped[str | None] = mapped_column(postgresql.TEXT())
    last_name: Mapped[str] = mapped_column(postgresql.TEXT())
    office_phone: Mapped[str | None] = mapped_column(postgresql.TEXT())
    mobile_phone: Mapped[str | None] = mapped_column(postgresql.TEXT())
    website: Mapped[str | None] = mapped_column(postgresql.TEXT())
    position: Mapped[str | None] = mapped_column(postgresql.TEXT())
    status: Mapped[bool] = mapped_column(postgresql.BOOLEAN(), server_default=sa.literal_column("true"))
    social_twitter: Mapped[str | None] = mapped_column(postgresql.TEXT())
    social_facebook: Mapped[str | None] = mapped_column(postgresql.TEXT())
    social_linkedin: Mapped[str | None] = mapped_column(postgresql.TEXT())
    social_skype: Mapped[str | None] = mapped_column(postgresql.TEXT())
    social_instagram: Mapped[str | None] = mapped_column(postgresql.TEXT())
    social_youtube: Mapped[str | None] = mapped_column(postgresql.TEXT())
    social_tiktok: Mapped[str | None] = mapped_column(postgresql.TEXT())
    type: Mapped[str | None] = mapped_column(postgresql.TEXT(), server_default=sa.literal_column("'Customer'"))
    tags: Mapped[list[str] | None] = mapped_column(postgresql.ARRAY(postgresql.TEXT()))
    notes: Mapped[list[str] | None] = mapped_column(postgresql.ARRAY(postgresql.TEXT()))
    accountsIDs: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    account_row: Mapped["CrmAccounts | None"] = relationship(
        foreign_keys=[account],
        back_populates="crm_contacts_by_account",
    )
    assigned_to_row: Mapped["Users | None"] = relationship(
        foreign_keys=[assigned_to],
        back_populates="crm_contacts_by_assigned_to",
    )
    created_by_row: Mapped["Users | None"] = relationship(
        foreign_keys=[created_by],
        back_populates="crm_contacts_by_created_by",
    )
    createdBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[createdBy],
        back_populates="crm_contacts_by_created_by_",
    )
    updatedBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[updatedBy],
        back_populates="crm_contacts_by_updated_by",
    )
    last_activity_by_row: Mapped["Users | None"] = relationship(
        foreign_keys=[last_activity_by],
        back_populates="crm_contacts_by_last_activity_by",
    )
    accountsIDs_row: Mapped["CrmAccounts | None"] = relationship(
        foreign_keys=[accountsIDs],
        back_populates="crm_contacts_by_accounts_ids",
    )
    crm_opportunities_by_contact: Mapped[list["CrmOpportunities"]] = relationship(
        passive_deletes="all",
        back_populates="contact_row",
    )
    documents: Mapped[list["Documents"]] = relationship(
        secondary=documents_to_contacts,
        passive_deletes=True,
        back_populates="crm_contacts",
    )
    crm_opportunities_by_contacts_to_opportunities: Mapped[list["CrmOpportunities"]] = relationship(
        secondary=contacts_to_opportunities,
        passive_deletes=True,
        back_populates="crm_contacts",
    )


class CrmContracts(Base):
    """A row of crm_Contracts."""

    __tablename__ = "crm_Contracts"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="crm_Contracts_pkey"),
        sa.ForeignKeyConstraint(
            ["account"],
            ["public.crm_Accounts.id"],
            name="crm_Contracts_account_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["assigned_to"],
            ["public.Users.id"],
            name="crm_Contracts_assigned_to_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["createdBy"],
            ["public.Users.id"],
            name="crm_Contracts_createdBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["updatedBy"],
            ["public.Users.id"],
            name="crm_Contracts_updatedBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.Index("crm_Contracts_startDate_idx", "startDate"),
        sa.Index("crm_Contracts_endDate_idx", "endDate"),
        sa.Index("crm_Contracts_account_idx", "account"),
        sa.Index("crm_Contracts_assigned_to_idx", "assigned_to"),
        sa.Index("crm_Contracts_createdAt_idx", "createdAt"),
        sa.Index("crm_Contracts_createdBy_idx", "createdBy"),
        sa.Index("crm_Contracts_updatedAt_idx", "updatedAt"),
        sa.Index("crm_Contracts_updatedBy_idx", "updatedBy"),
        sa.Index("crm_Contracts_status_idx", "status"),
        sa.Index("crm_Contracts_startDate_endDate_idx", "startDate", "endDate"),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    title: Mapped[str] = mapped_column(postgresql.TEXT())
    value: Mapped[int] = mapped_column(postgresql.INTEGER())
    startDate: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    endDate: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    renewalReminderDate: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
    )
    customerSignedDate: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
    )
    companySignedDate: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
    )
    description: Mapped[str | None] = mapped_column(postgresql.TEXT())
    account: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    assigned_to: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    createdAt: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    createdBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    updatedAt: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    updatedBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    status: Mapped[CrmContractsStatus] = mapped_column(
        crm_contracts_status_type,
        server_default=sa.literal_column("'NOTSTARTED'"),
    )
    type: Mapped[str | None] = mapped_column(postgresql.TEXT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    account_row: Mapped["CrmAccounts | None"] = relationship(back_populates="crm_contracts")
    assigned_to_row: Mapped["Users | None"] = relationship(
        foreign_keys=[assigned_to],
        back_populates="crm_contracts_by_assigned_to",
    )
    createdBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[createdBy],
        back_populates="crm_contracts_by_created_by",
    )
    updatedBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[updatedBy],
        back_populates="crm_contracts_by_updated_by",
    )


class Boards(Base):
    """A row of Boards."""

    __tablename__ = "Boards"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="Boards_pkey"),
        sa.ForeignKeyConstraint(
            ["user"],
            ["public.Users.id"],
            name="Boards_user_fkey",
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.ForeignKeyConstraint(
            ["createdBy"],
            ["public.Users.id"],
            name="Boards_createdBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["updatedBy"],
            ["public.Users.id"],
            name="Boards_updatedBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.Index("Boards_favourite_idx", "favourite"),
        sa.Index("Boards_user_idx", "user"),
        sa.Index("Boards_visibility_idx", "visibility"),
        sa.Index("Boards_sharedWith_idx", "sharedWith", postgresql_using="gin"),
        sa.Index("Boards_createdAt_idx", "createdAt"),
        sa.Index("Boards_createdBy_idx", "createdBy"),
        sa.Index("Boards_updatedAt_idx", "updatedAt"),
        sa.Index("Boards_updatedBy_idx", "updatedBy"),
        sa.Index("Boards_user_favourite_idx", "user", "favourite"),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    description: Mapped[str] = mapped_column(postgresql.TEXT())
    favourite: Mapped[bool | None] = mapped_column(postgresql.BOOLEAN())
    favouritePosition: Mapped[int | None] = mapped_column(postgresql.BIGINT())
    icon: Mapped[str | None] = mapped_column(postgresql.TEXT())
    position: Mapped[int | None] = mapped_column(postgresql.BIGINT())
    title: Mapped[str] = mapped_column(postgresql.TEXT())
    user: Mapped[UUID] = mapped_column(postgresql.UUID())
    visibility: Mapped[str | None] = mapped_column(postgresql.TEXT())
    sharedWith: Mapped[list[UUID] | None] = mapped_column(postgresql.ARRAY(postgresql.UUID()))
    createdAt: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    createdBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    updatedAt: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    updatedBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    user_row: Mapped["Users"] = relationship(foreign_keys=[user], back_populates="boards_by_user")
    createdBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[createdBy],
        back_populates="boards_by_created_by",
    )
    updatedBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[updatedBy],
        back_populates="boards_by_updated_by",
    )
    sections: Mapped[list["Sections"]] = relationship(passive_deletes="all", back_populates="board_row")
    users: Mapped[list["Users"]] = relationship(
        secondary=board_watchers,
        passive_deletes=True,
        back_populates="boards_by_board_watchers",
    )


class Employees(Base):
    """A row of Employees."""

    __tablename__ = "Employees"
    __table_args__ = (sa.PrimaryKeyConstraint("id", name="Employees_pkey"),)

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    avatar: Mapped[str] = mapped_column(postgresql.TEXT())
    email: Mapped[str | None] = mapped_column(postgresql.TEXT())
    name: Mapped[str] = mapped_column(postgresql.TEXT())
    salary: Mapped[int] = mapped_column(postgresql.BIGINT())
    status: Mapped[str] = mapped_column(postgresql.TEXT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))


class ImageUpload(Base):
    """A row of ImageUpload."""

    __tablename__ = "ImageUpload"
    __table_args__ = (sa.PrimaryKeyConstraint("id", name="ImageUpload_pkey"),)

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))


class MyAccount(Base):
    """A row of MyAccount."""

    __tablename__ = "MyAccount"
    __table_args__ = (sa.PrimaryKeyConstraint("id", name="MyAccount_pkey"),)

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    company_name: Mapped[str] = mapped_column(postgresql.TEXT())
    is_person: Mapped[bool] = mapped_column(postgresql.BOOLEAN(), server_default=sa.literal_column("false"))
    email: Mapped[str | None] = mapped_column(postgresql.TEXT())
    email_accountant: Mapped[str | None] = mapped_column(postgresql.TEXT())
    phone_prefix: Mapped[str | None] = mapped_column(postgresql.TEXT())
    phone: Mapped[str | None] = mapped_column(postgresql.TEXT())
    mobile_prefix: Mapped[str | None] = mapped_column(postgresql.TEXT())
    mobile: Mapped[str | None] = mapped_column(postgresql.TEXT())
    fax_prefix: Mapped[str | None] = mapped_column(postgresql.TEXT())
    fax: Mapped[str | None] = mapped_column(postgresql.TEXT())
    website: Mapped[str | None] = mapped_column(postgresql.TEXT())
    street: Mapped[str | None] = mapped_column(postgresql.TEXT())
    city: Mapped[str | None] = mapped_column(postgresql.TEXT())
    state: Mapped[str | None] = mapped_column(postgresql.TEXT())
    zip: Mapped[str | None] = mapped_column(postgresql.TEXT())
    country: Mapped[str | None] = mapped_column(postgresql.TEXT())
    country_code: Mapped[str | None] = mapped_column(postgresql.TEXT())
    billing_street: Mapped[str | None] = mapped_column(postgresql.TEXT())
    billing_city: Mapped[str | None] = mapped_column(postgresql.TEXT())
    billing_state: Mapped[str | None] = mapped_column(postgresql.TEXT())
    billing_zip: Mapped[str | None] = mapped_column(postgresql.TEXT())
    billing_country: Mapped[str | None] = mapped_column(postgresql.TEXT())
    billing_country_code: Mapped[str | None] = mapped_column(postgresql.TEXT())
    currency: Mapped[str | None] = mapped_column(postgresql.TEXT())
    currency_symbol: Mapped[str | None] = mapped_column(postgresql.TEXT())
    VAT_number: Mapped[str] = mapped_column(postgresql.TEXT())
    TAX_number: Mapped[str | None] = mapped_column(postgresql.TEXT())
    bank_name: Mapped[str | None] = mapped_column(postgresql.TEXT())
    bank_account: Mapped[str | None] = mapped_column(postgresql.TEXT())
    bank_code: Mapped[str | None] = mapped_column(postgresql.TEXT())
    bank_IBAN: Mapped[str | None] = mapped_column(postgresql.TEXT())
    bank_SWIFT: Mapped[str | None] = mapped_column(postgresql.TEXT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))


class Invoices(Base):
    """A row of Invoices."""

    __tablename__ = "Invoices"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="Invoices_pkey"),
        sa.ForeignKeyConstraint(
            ["last_updated_by"],
            ["public.Users.id"],
            name="Invoices_last_updated_by_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["invoice_state_id"],
            ["public.invoice_States.id"],
            name="Invoices_invoice_state_id_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["assigned_user_id"],
            ["public.Users.id"],
            name="Invoices_assigned_user_id_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["assigned_account_id"],
            ["public.crm_Accounts.id"],
            name="Invoices_assigned_account_id_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.Index("Invoices_date_created_idx", "date_created"),
        sa.Index("Invoices_last_updated_idx", "last_updated"),
        sa.Index("Invoices_last_updated_by_idx", "last_updated_by"),
        sa.Index("Invoices_date_due_idx", "date_due"),
        sa.Index("Invoices_favorite_idx", "favorite"),
        sa.Index("Invoices_invoice_items_idx", "invoice_items", postgresql_using="gin"),
        sa.Index("Invoices_invoice_type_idx", "invoice_type"),
        sa.Index("Invoices_status_idx", "status"),
        sa.Index("Invoices_invoice_state_id_idx", "invoice_state_id"),
        sa.Index("Invoices_assigned_user_id_idx", "assigned_user_id"),
        sa.Index("Invoices_assigned_account_id_idx", "assigned_account_id"),
        sa.Index("Invoices_status_date_created_idx", "status", "date_created"),
        sa.Index(
            "Invoices_search_idx",
            sa.literal_column(
                "(to_tsvector('simple'::regconfig, coalesce(\"invoice_number\", '') || ' ' || "
                "coalesce(\"partner\", '') || ' ' || coalesce(\"description\", '')))",
                postgresql.TSVECTOR(),
            ),
            postgresql_using="gin",
            postgresql_where=sa.literal_column(
                "(octet_length(coalesce(\"invoice_number\", '') || ' ' || coalesce(\"partner\", "
                "'') || ' ' || coalesce(\"description\", '')) <= 262144\n)",
            ),
        ),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int | None] = mapped_column("__v", postgresql.INTEGER())
    date_created: Mapped[datetime.datetime] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    last_updated: Mapped[datetime.datetime] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    last_updated_by: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    date_received: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    date_of_case: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    date_tax: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    date_due: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    description: Mapped[str | None] = mapped_column(postgresql.TEXT())
    document_type: Mapped[str | None] = mapped_column(postgresql.TEXT())
    favorite: Mapped[bool | None] = mapped_column(postgresql.BOOLEAN(), server_default=sa.literal_column("false"))
    variable_symbol: Mapped[str | None] = mapped_column(postgresql.TEXT())
    constant_symbol: Mapped[str | None] = mapped_column(postgresql.TEXT())
    specific_symbol: Mapped[str | None] = mapped_column(postgresql.TEXT())
    order_number: Mapped[str | None] = mapped_column(postgresql.TEXT())
    internal_number: Mapped[str | None] = mapped_column(postgresql.TEXT())
    invoice_number: Mapped[str | None] = mapped_column(postgresql.TEXT())
    invoice_amount: Mapped[str | None] = mapped_column(postgresql.TEXT())
    invoice_file_mimeType: Mapped[str] = mapped_column(postgresql.TEXT())
    invoice_file_url: Mapped[str] = mapped_column(postgresql.TEXT())
    invoice_items: Mapped[Any | None] = mapped_column(postgresql.JSONB(none_as_null=True))
    invoice_type: Mapped[str | None] = mapped_column(postgresql.TEXT())
    invoice_currency: Mapped[str | None] = mapped_column(postgresql.TEXT())
    invoice_language: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_street: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_city: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_zip: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_country: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_country_code: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_business_street: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_business_city: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_business_zip: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_business_country: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_business_country_code: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_VAT_number: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_TAX_number: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_TAX_local_number: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_phone_prefix: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_phone_number: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_fax_prefix: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_fax_number: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_email: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_website: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_is_person: Mapped[bool | None] = mapped_column(postgresql.BOOLEAN())
    partner_bank: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_account_number: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_account_bank_number: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_IBAN: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_SWIFT: Mapped[str | None] = mapped_column(postgresql.TEXT())
    partner_BIC: Mapped[str | None] = mapped_column(postgresql.TEXT())
    rossum_status: Mapped[str | None] = mapped_column(postgresql.TEXT())
    rossum_annotation_id: Mapped[str | None] = mapped_column(postgresql.TEXT())
    rossum_annotation_url: Mapped[str | None] = mapped_column(postgresql.TEXT())
    rossum_document_id: Mapped[str | None] = mapped_column(postgresql.TEXT())
    rossum_document_url: Mapped[str | None] = mapped_column(postgresql.TEXT())
    rossum_annotation_json_url: Mapped[str | None] = mapped_column(postgresql.TEXT())
    rossum_annotation_xml_url: Mapped[str | None] = mapped_column(postgresql.TEXT())
    money_s3_url: Mapped[str | None] = mapped_column(postgresql.TEXT())
    status: Mapped[str | None] = mapped_column(postgresql.TEXT())
    invoice_state_id: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    assigned_user_id: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    assigned_account_id: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    visibility: Mapped[bool] = mapped_column(postgresql.BOOLEAN(), server_default=sa.literal_column("true"))
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    last_updated_by_row: Mapped["Users | None"] = relationship(
        foreign_keys=[last_updated_by],
        back_populates="invoices_by_last_updated_by",
    )
    invoice_state: Mapped["InvoiceStates | None"] = relationship(back_populates="invoices")
    assigned_user: Mapped["Users | None"] = relationship(
        foreign_keys=[assigned_user_id],
        back_populates="invoices_by_assigned_user_id",
    )
    assigned_account: Mapped["CrmAccounts | None"] = relationship(back_populates="invoices")
    documents: Mapped[list["Documents"]] = relationship(
        secondary=documents_to_invoices,
        passive_deletes=True,
        back_populates="invoices",
    )


class InvoiceStates(Base):
    """A row of invoice_States."""

    __tablename__ = "invoice_States"
    __table_args__ = (sa.PrimaryKeyConstraint("id", name="invoice_States_pkey"),)

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    name: Mapped[str] = mapped_column(postgresql.TEXT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    invoices: Mapped[list["Invoices"]] = relationship(passive_deletes="all", back_populates="invoice_state")


class Documents(Base):
    """A row of Documents."""

    __tablename__ = "Documents"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="Documents_pkey"),
        sa.ForeignKeyConstraint(
            ["created_by_user"],
            ["public.Users.id"],
            name="Documents_created_by_user_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["createdBy"],
            ["public.Users.id"],
            name="Documents_createdBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["document_type"],
            ["public.Documents_Types.id"],
            name="Documents_document_type_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["assigned_user"],
            ["public.Users.id"],
            name="Documents_assigned_user_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.Index("Documents_createdAt_idx", "createdAt"),
        sa.Index("Documents_updatedAt_idx", "updatedAt"),
        sa.Index("Documents_created_by_user_idx", "created_by_user"),
        sa.Index("Documents_createdBy_idx", "createdBy"),
        sa.Index("Documents_document_type_idx", "document_type"),
        sa.Index("Documents_favourite_idx", "favourite"),
        sa.Index("Documents_status_idx", "status"),
        sa.Index("Documents_visibility_idx", "visibility"),
        sa.Index("Documents_tags_idx", "tags", postgresql_using="gin"),
        sa.Index("Documents_assigned_user_idx", "assigned_user"),
        sa.Index("Documents_document_system_type_idx", "document_system_type"),
        sa.Index(
            "Documents_search_idx",
            sa.literal_column(
                "(to_tsvector('simple'::regconfig, coalesce(\"document_name\", '') || ' ' || "
                "coalesce(\"description\", '')))",
                postgresql.TSVECTOR(),
            ),
            postgresql_using="gin",
            postgresql_where=sa.literal_column(
                "(octet_length(coalesce(\"document_name\", '') || ' ' || coalesce(\"description\", '')) <= 262144\n)",
            ),
        ),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int | None] = mapped_column("__v", postgresql.INTEGER())
    date_created: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    createdAt: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    last_updated: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    updatedAt: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    document_name: Mapped[str] = mapped_column(postgresql.TEXT())
    created_by_user: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    createdBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    description: Mapped[str | None] = mapped_column(postgresql.TEXT())
    document_type: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    favourite: Mapped[bool | None] = mapped_column(postgresql.BOOLEAN())
    document_file_mimeType: Mapped[str] = mapped_column(postgresql.TEXT())
    document_file_url: Mapped[str] = mapped_column(postgresql.TEXT())
    status: Mapped[str | None] = mapped_column(postgresql.TEXT())
    visibility: Mapped[str | None] = mapped_column(postgresql.TEXT())
    tags: Mapped[Any | None] = mapped_column(postgresql.JSONB(none_as_null=True))
    key: Mapped[str | None] = mapped_column(postgresql.TEXT())
    size: Mapped[int | None] = mapped_column(postgresql.INTEGER())
    assigned_user: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    connected_documents: Mapped[list[str] | None] = mapped_column(postgresql.ARRAY(postgresql.TEXT()))
    document_system_type: Mapped[DocumentSystemType | None] = mapped_column(
        document_system_type_type,
        server_default=sa.literal_column("'OTHER'"),
    )
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    created_by_user_row: Mapped["Users | None"] = relationship(
        foreign_keys=[created_by_user],
        back_populates="documents_by_created_by_user",
    )
    createdBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[createdBy],
        back_populates="documents_by_created_by",
    )
    document_type_row: Mapped["DocumentsTypes | None"] = relationship(back_populates="documents")
    assigned_user_row: Mapped["Users | None"] = relationship(
        foreign_keys=[assigned_user],
        back_populates="documents_by_assigned_user",
    )
    invoices: Mapped[list["Invoices"]] = relationship(
        secondary=documents_to_invoices,
        passive_deletes=True,
        back_populates="documents",
    )
    crm_opportunities: Mapped[list["CrmOpportunities"]] = relationship(
        secondary=documents_to_opportunities,
        passive_deletes=True,
        back_populates="documents",
    )
    crm_contacts: Mapped[list["CrmContacts"]] = relationship(
        secondary=documents_to_contacts,
        passive_deletes=True,
        back_populates="documents",
    )
    tasks: Mapped[list["Tasks"]] = relationship(
        secondary=documents_to_tasks,
        passive_deletes=True,
        back_populates="documents",
    )
    crm_accounts_tasks: Mapped[list["CrmAccountsTasks"]] = relationship(
        secondary=documents_to_crm_accounts_tasks,
        passive_deletes=True,
        back_populates="documents",
    )
    crm_leads: Mapped[list["CrmLeads"]] = relationship(
        secondary=documents_to_leads,
        passive_deletes=True,
        back_populates="documents",
    )
    crm_accounts: Mapped[list["CrmAccounts"]] = relationship(
        secondary=documents_to_accounts,
        passive_deletes=True,
        back_populates="documents",
    )


class DocumentsTypes(Base):
    """A row of Documents_Types."""

    __tablename__ = "Documents_Types"
    __table_args__ = (sa.PrimaryKeyConstraint("id", name="Documents_Types_pkey"),)

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    name: Mapped[str] = mapped_column(postgresql.TEXT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    documents: Mapped[list["Documents"]] = relationship(passive_deletes="all", back_populates="document_type_row")


class Sections(Base):
    """A row of Sections."""

    __tablename__ = "Sections"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="Sections_pkey"),
        sa.ForeignKeyConstraint(
            ["board"],
            ["public.Boards.id"],
            name="Sections_board_fkey",
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.Index("Sections_board_idx", "board"),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    board: Mapped[UUID] = mapped_column(postgresql.UUID())
    title: Mapped[str] = mapped_column(postgresql.TEXT())
    position: Mapped[int | None] = mapped_column(postgresql.BIGINT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    board_row: Mapped["Boards"] = relationship(back_populates="sections")
    tasks: Mapped[list["Tasks"]] = relationship(passive_deletes="all", back_populates="section_row")


class CrmIndustryType(Base):
    """A row of crm_Industry_Type."""

    __tablename__ = "crm_Industry_Type"
    __table_args__ = (sa.PrimaryKeyConstraint("id", name="crm_Industry_Type_pkey"),)

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    name: Mapped[str] = mapped_column(postgresql.TEXT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    crm_accounts: Mapped[list["CrmAccounts"]] = relationship(passive_deletes="all", back_populates="industry_row")


class ModulStatus(Base):
    """A row of modulStatus."""

    __tablename__ = "modulStatus"
    __table_args__ = (sa.PrimaryKeyConstraint("id", name="modulStatus_pkey"),)

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    name: Mapped[str] = mapped_column(postgresql.TEXT())
    isVisible: Mapped[bool] = mapped_column(postgresql.BOOLEAN())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))


class Tasks(Base):
    """A row of Tasks."""

    __tablename__ = "Tasks"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="Tasks_pkey"),
        sa.ForeignKeyConstraint(
            ["createdBy"],
            ["public.Users.id"],
            name="Tasks_createdBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["updatedBy"],
            ["public.Users.id"],
            name="Tasks_updatedBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["section"],
            ["public.Sections.id"],
            name="Tasks_section_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user"],
            ["public.Users.id"],
            name="Tasks_user_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.Index("Tasks_createdAt_idx", "createdAt"),
        sa.Index("Tasks_createdBy_idx", "createdBy"),
        sa.Index("Tasks_updatedAt_idx", "updatedAt"),
        sa.Index("Tasks_updatedBy_idx", "updatedBy"),
        sa.Index("Tasks_dueDateAt_idx", "dueDateAt"),
        sa.Index("Tasks_priority_idx", "priority"),
        sa.Index("Tasks_section_idx", "section"),
        sa.Index("Tasks_tags_idx", "tags", postgresql_using="gin"),
        sa.Index("Tasks_user_idx", "user"),
        sa.Index("Tasks_taskStatus_idx", "taskStatus"),
        sa.Index("Tasks_user_taskStatus_idx", "user", "taskStatus"),
        sa.Index(
            "Tasks_active_idx",
            "user",
            "dueDateAt",
            postgresql_where=sa.literal_column("(\"taskStatus\" = 'ACTIVE'\n)"),
        ),
        sa.Index(
            "Tasks_search_idx",
            sa.literal_column(
                "(to_tsvector('simple'::regconfig, coalesce(\"title\", '') || ' ' || coalesce(\"content\", '')))",
                postgresql.TSVECTOR(),
            ),
            postgresql_using="gin",
            postgresql_where=sa.literal_column(
                "(octet_length(coalesce(\"title\", '') || ' ' || coalesce(\"content\", '')) <= 262144\n)",
            ),
        ),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    content: Mapped[str | None] = mapped_column(postgresql.TEXT())
    createdAt: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    createdBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    updatedAt: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    updatedBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    dueDateAt: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    lastEditedAt: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    position: Mapped[int] = mapped_column(postgresql.BIGINT())
    priority: Mapped[str] = mapped_column(postgresql.TEXT())
    section: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    tags: Mapped[Any | None] = mapped_column(postgresql.JSONB(none_as_null=True))
    title: Mapped[str] = mapped_column(postgresql.TEXT())
    likes: Mapped[int | None] = mapped_column(postgresql.BIGINT(), server_default=sa.literal_column("0"))
    user: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    taskStatus: Mapped[TaskStatus | None] = mapped_column(
        task_status_type,
        server_default=sa.literal_column("'ACTIVE'"),
    )
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    createdBy_row: Mapped["Users | None"] = relationship(foreign_keys=[createdBy], back_populates="tasks_by_created_by")
    updatedBy_row: Mapped["Users | None"] = relationship(foreign_keys=[updatedBy], back_populates="tasks_by_updated_by")
    section_row: Mapped["Sections | None"] = relationship(back_populates="tasks")
    user_row: Mapped["Users | None"] = relationship(foreign_keys=[user], back_populates="tasks_by_user")
    tasks_comments: Mapped[list["TasksComments"]] = relationship(passive_deletes="all", back_populates="task_row")
    documents: Mapped[list["Documents"]] = relationship(
        secondary=documents_to_tasks,
        passive_deletes=True,
        back_populates="tasks",
    )


class CrmAccountsTasks(Base):
    """A row of crm_Accounts_Tasks."""

    __tablename__ = "crm_Accounts_Tasks"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="crm_Accounts_Tasks_pkey"),
        sa.ForeignKeyConstraint(
            ["createdBy"],
            ["public.Users.id"],
            name="crm_Accounts_Tasks_createdBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["updatedBy"],
            ["public.Users.id"],
            name="crm_Accounts_Tasks_updatedBy_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user"],
            ["public.Users.id"],
            name="crm_Accounts_Tasks_user_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["account"],
            ["public.crm_Accounts.id"],
            name="crm_Accounts_Tasks_account_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.Index("crm_Accounts_Tasks_createdAt_idx", "createdAt"),
        sa.Index("crm_Accounts_Tasks_createdBy_idx", "createdBy"),
        sa.Index("crm_Accounts_Tasks_updatedAt_idx", "updatedAt"),
        sa.Index("crm_Accounts_Tasks_updatedBy_idx", "updatedBy"),
        sa.Index("crm_Accounts_Tasks_dueDateAt_idx", "dueDateAt"),
        sa.Index("crm_Accounts_Tasks_priority_idx", "priority"),
        sa.Index("crm_Accounts_Tasks_tags_idx", "tags", postgresql_using="gin"),
        sa.Index("crm_Accounts_Tasks_user_idx", "user"),
        sa.Index("crm_Accounts_Tasks_account_idx", "account"),
        sa.Index("crm_Accounts_Tasks_taskStatus_idx", "taskStatus"),
        sa.Index("crm_Accounts_Tasks_account_taskStatus_idx", "account", "taskStatus"),
        sa.Index(
            "crm_Accounts_Tasks_active_idx",
            "user",
            "dueDateAt",
            postgresql_where=sa.literal_column("(\"taskStatus\" = 'ACTIVE'\n)"),
        ),
        sa.Index(
            "crm_Accounts_Tasks_search_idx",
            sa.literal_column(
                "(to_tsvector('simple'::regconfig, coalesce(\"title\", '') || ' ' || coalesce(\"content\", '')))",
                postgresql.TSVECTOR(),
            ),
            postgresql_using="gin",
            postgresql_where=sa.literal_column(
                "(octet_length(coalesce(\"title\", '') || ' ' || coalesce(\"content\", '')) <= 262144\n)",
            ),
        ),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    content: Mapped[str | None] = mapped_column(postgresql.TEXT())
    createdAt: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    createdBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    updatedAt: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    updatedBy: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    dueDateAt: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    priority: Mapped[str] = mapped_column(postgresql.TEXT())
    tags: Mapped[Any | None] = mapped_column(postgresql.JSONB(none_as_null=True))
    title: Mapped[str] = mapped_column(postgresql.TEXT())
    likes: Mapped[int | None] = mapped_column(postgresql.BIGINT(), server_default=sa.literal_column("0"))
    user: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    account: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    taskStatus: Mapped[TaskStatus | None] = mapped_column(
        task_status_type,
        server_default=sa.literal_column("'ACTIVE'"),
    )
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    createdBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[createdBy],
        back_populates="crm_accounts_tasks_by_created_by",
    )
    updatedBy_row: Mapped["Users | None"] = relationship(
        foreign_keys=[updatedBy],
        back_populates="crm_accounts_tasks_by_updated_by",
    )
    user_row: Mapped["Users | None"] = relationship(foreign_keys=[user], back_populates="crm_accounts_tasks_by_user")
    account_row: Mapped["CrmAccounts | None"] = relationship(back_populates="crm_accounts_tasks")
    tasks_comments: Mapped[list["TasksComments"]] = relationship(
        passive_deletes="all",
        back_populates="assigned_crm_account_task_row",
    )
    documents: Mapped[list["Documents"]] = relationship(
        secondary=documents_to_crm_accounts_tasks,
        passive_deletes=True,
        back_populates="crm_accounts_tasks",
    )


class TasksComments(Base):
    """A row of tasksComments."""

    __tablename__ = "tasksComments"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="tasksComments_pkey"),
        sa.ForeignKeyConstraint(
            ["task"],
            ["public.Tasks.id"],
            name="tasksComments_task_fkey",
            onupdate="CASCADE",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["assigned_crm_account_task"],
            ["public.crm_Accounts_Tasks.id"],
            name="tasksComments_assigned_crm_account_task_fkey",
            onupdate="CASCADE",
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["user"],
            ["public.Users.id"],
            name="tasksComments_user_fkey",
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.Index("tasksComments_task_idx", "task"),
        sa.Index("tasksComments_assigned_crm_account_task_idx", "assigned_crm_account_task"),
        sa.Index("tasksComments_user_idx", "user"),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    comment: Mapped[str] = mapped_column(postgresql.TEXT())
    createdAt: Mapped[datetime.datetime] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    task: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    assigned_crm_account_task: Mapped[UUID | None] = mapped_column(postgresql.UUID())
    user: Mapped[UUID] = mapped_column(postgresql.UUID())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    task_row: Mapped["Tasks | None"] = relationship(back_populates="tasks_comments")
    assigned_crm_account_task_row: Mapped["CrmAccountsTasks | None"] = relationship(back_populates="tasks_comments")
    user_row: Mapped["Users"] = relationship(back_populates="tasks_comments")


class TodoList(Base):
    """A row of TodoList."""

    __tablename__ = "TodoList"
    __table_args__ = (sa.PrimaryKeyConstraint("id", name="TodoList_pkey"), sa.Index("TodoList_user_idx", "user"))

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    createdAt: Mapped[str] = mapped_column(postgresql.TEXT())
    description: Mapped[str] = mapped_column(postgresql.TEXT())
    title: Mapped[str] = mapped_column(postgresql.TEXT())
    url: Mapped[str] = mapped_column(postgresql.TEXT())
    user: Mapped[str] = mapped_column(postgresql.TEXT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))


class Users(Base):
    """A row of Users."""

    __tablename__ = "Users"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="Users_pkey"),
        sa.Index("Users_email_key", "email", unique=True),
        sa.Index("Users_is_account_admin_idx", "is_account_admin"),
        sa.Index("Users_is_admin_idx", "is_admin"),
        sa.Index("Users_created_on_idx", "created_on"),
        sa.Index("Users_lastLoginAt_idx", "lastLoginAt"),
        sa.Index("Users_userStatus_idx", "userStatus"),
        sa.Index("Users_userLanguage_idx", "userLanguage"),
        sa.Index("Users_active_idx", "email", postgresql_where=sa.literal_column("(\"userStatus\" = 'ACTIVE'\n)")),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER(), server_default=sa.literal_column("0"))
    account_name: Mapped[str | None] = mapped_column(postgresql.TEXT())
    avatar: Mapped[str | None] = mapped_column(postgresql.TEXT())
    email: Mapped[str] = mapped_column(postgresql.TEXT())
    is_account_admin: Mapped[bool] = mapped_column(postgresql.BOOLEAN(), server_default=sa.literal_column("false"))
    is_admin: Mapped[bool] = mapped_column(postgresql.BOOLEAN(), server_default=sa.literal_column("false"))
    created_on: Mapped[datetime.datetime] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    lastLoginAt: Mapped[datetime.datetime | None] = mapped_column(postgresql.TIMESTAMP(timezone=False, precision=3))
    name: Mapped[str | None] = mapped_column(postgresql.TEXT())
    password: Mapped[str | None] = mapped_column(postgresql.TEXT())
    username: Mapped[str | None] = mapped_column(postgresql.TEXT())
    userStatus: Mapped[ActiveStatus] = mapped_column(active_status_type, server_default=sa.literal_column("'PENDING'"))
    userLanguage: Mapped[Language] = mapped_column(language_type, server_default=sa.literal_column("'en'"))
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    crm_accounts_by_created_by: Mapped[list["CrmAccounts"]] = relationship(
        foreign_keys="[CrmAccounts.createdBy]",
        passive_deletes="all",
        back_populates="createdBy_row",
    )
    crm_accounts_by_updated_by: Mapped[list["CrmAccounts"]] = relationship(
        foreign_keys="[CrmAccounts.updatedBy]",
        passive_deletes="all",
        back_populates="updatedBy_row",
    )
    crm_accounts_by_assigned_to: Mapped[list["CrmAccounts"]] = relationship(
        foreign_keys="[CrmAccounts.assigned_to]",
        passive_deletes="all",
        back_populates="assigned_to_row",
    )
    crm_leads_by_created_by: Mapped[list["CrmLeads"]] = relationship(
        foreign_keys="[CrmLeads.createdBy]",
        passive_deletes="all",
        back_populates="createdBy_row",
    )
    crm_leads_by_updated_by: Mapped[list["CrmLeads"]] = relationship(
        foreign_keys="[CrmLeads.updatedBy]",
        passive_deletes="all",
        back_populates="updatedBy_row",
    )
    crm_leads_by_assigned_to: Mapped[list["CrmLeads"]] = relationship(
        foreign_keys="[CrmLeads.assigned_to]",
        passive_deletes="all",
        back_populates="assigned_to_row",
    )
    crm_opportunities_by_assigned_to: Mapped[list["CrmOpportunities"]] = relationship(
        foreign_keys="[CrmOpportunities.assigned_to]",
        passive_deletes="all",
        back_populates="assigned_to_row",
    )
    crm_opportunities_by_created_by: Mapped[list["CrmOpportunities"]] = relationship(
        foreign_keys="[CrmOpportunities.created_by]",
        passive_deletes="all",
        back_populates="created_by_row",
    )
    crm_opportunities_by_created_by_: Mapped[list["CrmOpportunities"]] = relationship(
        foreign_keys="[CrmOpportunities.createdBy]",
        passive_deletes="all",
        back_populates="createdBy_row",
    )
    crm_opportunities_by_updated_by: Mapped[list["CrmOpportunities"]] = relationship(
        foreign_keys="[CrmOpportunities.updatedBy]",
        passive_deletes="all",
        back_populates="updatedBy_row",
    )
    crm_opportunities_by_last_activity_by: Mapped[list["CrmOpportunities"]] = relationship(
        foreign_keys="[CrmOpportunities.last_activity_by]",
        passive_deletes="all",
        back_populates="last_activity_by_row",
    )
    crm_contacts_by_assigned_to: Mapped[list["CrmContacts"]] = relationship(
        foreign_keys="[CrmContacts.assigned_to]",
        passive_deletes="all",
        back_populates="assigned_to_row",
    )
    crm_contacts_by_created_by: Mapped[list["CrmContacts"]] = relationship(
        foreign_keys="[CrmContacts.created_by]",
        passive_deletes="all",
        back_populates="created_by_row",
    )
    crm_contacts_by_created_by_: Mapped[list["CrmContacts"]] = relationship(
        foreign_keys="[CrmContacts.createdBy]",
        passive_deletes="all",
        back_populates="createdBy_row",
    )
    crm_contacts_by_updated_by: Mapped[list["CrmContacts"]] = relationship(
        foreign_keys="[CrmContacts.updatedBy]",
        passive_deletes="all",
        back_populates="updatedBy_row",
    )
    crm_contacts_by_last_activity_by: Mapped[list["CrmContacts"]] = relationship(
        foreign_keys="[CrmContacts.last_activity_by]",
        passive_deletes="all",
        back_populates="last_activity_by_row",
    )
    crm_contracts_by_assigned_to: Mapped[list["CrmContracts"]] = relationship(
        foreign_keys="[CrmContracts.assigned_to]",
        passive_deletes="all",
        back_populates="assigned_to_row",
    )
    crm_contracts_by_created_by: Mapped[list["CrmContracts"]] = relationship(
        foreign_keys="[CrmContracts.createdBy]",
        passive_deletes="all",
        back_populates="createdBy_row",
    )
    crm_contracts_by_updated_by: Mapped[list["CrmContracts"]] = relationship(
        foreign_keys="[CrmContracts.updatedBy]",
        passive_deletes="all",
        back_populates="updatedBy_row",
    )
    boards_by_user: Mapped[list["Boards"]] = relationship(
        foreign_keys="[Boards.user]",
        passive_deletes="all",
        back_populates="user_row",
    )
    boards_by_created_by: Mapped[list["Boards"]] = relationship(
        foreign_keys="[Boards.createdBy]",
        passive_deletes="all",
        back_populates="createdBy_row",
    )
    boards_by_updated_by: Mapped[list["Boards"]] = relationship(
        foreign_keys="[Boards.updatedBy]",
        passive_deletes="all",
        back_populates="updatedBy_row",
    )
    invoices_by_last_updated_by: Mapped[list["Invoices"]] = relationship(
        foreign_keys="[Invoices.last_updated_by]",
        passive_deletes="all",
        back_populates="last_updated_by_row",
    )
    invoices_by_assigned_user_id: Mapped[list["Invoices"]] = relationship(
        foreign_keys="[Invoices.assigned_user_id]",
        passive_deletes="all",
        back_populates="assigned_user",
    )
    documents_by_created_by_user: Mapped[list["Documents"]] = relationship(
        foreign_keys="[Documents.created_by_user]",
        passive_deletes="all",
        back_populates="created_by_user_row",
    )
    documents_by_created_by: Mapped[list["Documents"]] = relationship(
        foreign_keys="[Documents.createdBy]",
        passive_deletes="all",
        back_populates="createdBy_row",
    )
    documents_by_assigned_user: Mapped[list["Documents"]] = relationship(
        foreign_keys="[Documents.assigned_user]",
        passive_deletes="all",
        back_populates="assigned_user_row",
    )
    tasks_by_created_by: Mapped[list["Tasks"]] = relationship(
        foreign_keys="[Tasks.createdBy]",
        passive_deletes="all",
        back_populates="createdBy_row",
    )
    tasks_by_updated_by: Mapped[list["Tasks"]] = relationship(
        foreign_keys="[Tasks.updatedBy]",
        passive_deletes="all",
        back_populates="updatedBy_row",
    )
    tasks_by_user: Mapped[list["Tasks"]] = relationship(
        foreign_keys="[Tasks.user]",
        passive_deletes="all",
        back_populates="user_row",
    )
    crm_accounts_tasks_by_created_by: Mapped[list["CrmAccountsTasks"]] = relationship(
        foreign_keys="[CrmAccountsTasks.createdBy]",
        passive_deletes="all",
        back_populates="createdBy_row",
    )
    crm_accounts_tasks_by_updated_by: Mapped[list["CrmAccountsTasks"]] = relationship(
        foreign_keys="[CrmAccountsTasks.updatedBy]",
        passive_deletes="all",
        back_populates="updatedBy_row",
    )
    crm_accounts_tasks_by_user: Mapped[list["CrmAccountsTasks"]] = relationship(
        foreign_keys="[CrmAccountsTasks.user]",
        passive_deletes="all",
        back_populates="user_row",
    )
    tasks_comments: Mapped[list["TasksComments"]] = relationship(passive_deletes="all", back_populates="user_row")
    second_brain_notions: Mapped[list["SecondBrainNotions"]] = relationship(
        passive_deletes="all",
        back_populates="user_row",
    )
    open_ai_keys: Mapped[list["OpenAiKeys"]] = relationship(passive_deletes="all", back_populates="user_row")
    crm_accounts_by_account_watchers: Mapped[list["CrmAccounts"]] = relationship(
        secondary=account_watchers,
        passive_deletes=True,
        back_populates="users",
    )
    boards_by_board_watchers: Mapped[list["Boards"]] = relationship(
        secondary=board_watchers,
        passive_deletes=True,
        back_populates="users",
    )


class SystemModulesEnabled(Base):
    """A row of system_Modules_Enabled."""

    __tablename__ = "system_Modules_Enabled"
    __table_args__ = (sa.PrimaryKeyConstraint("id", name="system_Modules_Enabled_pkey"),)

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    name: Mapped[str] = mapped_column(postgresql.TEXT())
    enabled: Mapped[bool] = mapped_column(postgresql.BOOLEAN())
    position: Mapped[int] = mapped_column(postgresql.INTEGER())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))


class SecondBrainNotions(Base):
    """A row of secondBrain_notions."""

    __tablename__ = "secondBrain_notions"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="secondBrain_notions_pkey"),
        sa.ForeignKeyConstraint(
            ["user"],
            ["public.Users.id"],
            name="secondBrain_notions_user_fkey",
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.Index("secondBrain_notions_user_idx", "user"),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    user: Mapped[UUID] = mapped_column(postgresql.UUID())
    notion_api_key: Mapped[str] = mapped_column(postgresql.TEXT())
    notion_db_id: Mapped[str] = mapped_column(postgresql.TEXT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    user_row: Mapped["Users"] = relationship(back_populates="second_brain_notions")


class OpenAiKeys(Base):
    """A row of openAi_keys."""

    __tablename__ = "openAi_keys"
    __table_args__ = (
        sa.PrimaryKeyConstraint("id", name="openAi_keys_pkey"),
        sa.ForeignKeyConstraint(
            ["user"],
            ["public.Users.id"],
            name="openAi_keys_user_fkey",
            onupdate="CASCADE",
            ondelete="RESTRICT",
        ),
        sa.Index("openAi_keys_user_idx", "user"),
    )

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    user: Mapped[UUID] = mapped_column(postgresql.UUID())
    organization_id: Mapped[str] = mapped_column(postgresql.TEXT())
    api_key: Mapped[str] = mapped_column(postgresql.TEXT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))

    user_row: Mapped["Users"] = relationship(back_populates="open_ai_keys")


class SystemServices(Base):
    """A row of systemServices."""

    __tablename__ = "systemServices"
    __table_args__ = (sa.PrimaryKeyConstraint("id", name="systemServices_pkey"),)

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    name: Mapped[str] = mapped_column(postgresql.TEXT())
    serviceUrl: Mapped[str | None] = mapped_column(postgresql.TEXT())
    serviceId: Mapped[str | None] = mapped_column(postgresql.TEXT())
    serviceKey: Mapped[str | None] = mapped_column(postgresql.TEXT())
    servicePassword: Mapped[str | None] = mapped_column(postgresql.TEXT())
    servicePort: Mapped[str | None] = mapped_column(postgresql.TEXT())
    description: Mapped[str | None] = mapped_column(postgresql.TEXT())
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))


class GptModels(Base):
    """A row of gpt_models."""

    __tablename__ = "gpt_models"
    __table_args__ = (sa.PrimaryKeyConstraint("id", name="gpt_models_pkey"),)

    id: Mapped[UUID] = mapped_column(postgresql.UUID(), default=uuid4)
    v: Mapped[int] = mapped_column("__v", postgresql.INTEGER())
    model: Mapped[str] = mapped_column(postgresql.TEXT())
    description: Mapped[str | None] = mapped_column(postgresql.TEXT())
    status: Mapped[GptStatus | None] = mapped_column(gpt_status_type)
    created_on: Mapped[datetime.datetime | None] = mapped_column(
        postgresql.TIMESTAMP(timezone=False, precision=3),
        server_default=sa.literal_column("CURRENT_TIMESTAMP"),
    )
    extras: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB(none_as_null=True))
