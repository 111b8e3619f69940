-- Migration: 20260101000000_baseline
-- Purpose: the tables of NextCRM, with their keys and indexes, before any row is there
-- Ticket: N/A
-- Reversible: Yes
--
-- Written by python -m apps.nextcrm.baseline from mapping.yaml, as isthmus ddl prints it. The rollback drops every
-- table with its rows, and the extensions: leave those out there that were in the database before.

DO $isthmus$ BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'vector') THEN
    CREATE EXTENSION IF NOT EXISTS "vector";
  END IF;
END $isthmus$;

CREATE TYPE "public"."crm_Lead_Status" AS ENUM ('NEW', 'CONTACTED', 'QUALIFIED', 'LOST');

CREATE TYPE "public"."crm_Lead_Type" AS ENUM ('DEMO');

CREATE TYPE "public"."crm_Opportunity_Status" AS ENUM ('ACTIVE', 'INACTIVE', 'PENDING', 'CLOSED');

CREATE TYPE "public"."crm_Contact_Type" AS ENUM ('Customer', 'Partner', 'Vendor', 'Prospect');

CREATE TYPE "public"."crm_Contracts_Status" AS ENUM ('NOTSTARTED', 'INPROGRESS', 'SIGNED');

CREATE TYPE "public"."DocumentSystemType" AS ENUM ('INVOICE', 'RECEIPT', 'CONTRACT', 'OFFER', 'OTHER');

CREATE TYPE "public"."taskStatus" AS ENUM ('ACTIVE', 'PENDING', 'COMPLETE');

CREATE TYPE "public"."ActiveStatus" AS ENUM ('ACTIVE', 'INACTIVE', 'PENDING');

CREATE TYPE "public"."Language" AS ENUM ('cz', 'en', 'de', 'uk');

CREATE TYPE "public"."gptStatus" AS ENUM ('ACTIVE', 'INACTIVE');

CREATE OR REPLACE FUNCTION "public"."isthmus_array_text"(elements text[]) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE
  AS $$ SELECT pg_catalog.array_to_string(elements, ' ') $$;

CREATE TABLE "public"."crm_Accounts" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "createdBy" uuid,
  "updatedAt" timestamp(3),
  "updatedBy" uuid,
  "annual_revenue" text,
  "assigned_to" uuid,
  "billing_city" text,
  "billing_country" text,
  "billing_postal_code" text,
  "billing_state" text,
  "billing_street" text,
  "company_id" text,
  "description" text,
  "email" text,
  "employees" text,
  "fax" text,
  "industry" uuid,
  "member_of" text,
  "name" text NOT NULL,
  "office_phone" text,
  "shipping_city" text,
  "shipping_country" text,
  "shipping_postal_code" text,
  "shipping_state" text,
  "shipping_street" text,
  "status" text DEFAULT 'Inactive',
  "type" text DEFAULT 'Customer',
  "vat" text,
  "website" text,
  "extras" jsonb
);

CREATE TABLE "public"."crm_Leads" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL DEFAULT 0,
  "createdAt" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "createdBy" uuid,
  "updatedAt" timestamp(3),
  "updatedBy" uuid,
  "firstName" text,
  "lastName" text NOT NULL,
  "company" text,
  "jobTitle" text,
  "email" text,
  "phone" text,
  "description" text,
  "lead_source" text,
  "refered_by" text,
  "campaign" text,
  "status" text DEFAULT 'NEW',
  "type" text DEFAULT 'DEMO',
  "assigned_to" uuid,
  "accountsIDs" uuid,
  "extras" jsonb
);

CREATE TABLE "public"."crm_Opportunities" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL DEFAULT 0,
  "account" uuid,
  "assigned_to" uuid,
  "budget" bigint NOT NULL DEFAULT 0,
  "campaign" uuid,
  "close_date" timestamp(3),
  "contact" uuid,
  "created_by" uuid,
  "createdBy" uuid,
  "created_on" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "last_activity" timestamp(3),
  "updatedAt" timestamp(3),
  "updatedBy" uuid,
  "last_activity_by" uuid,
  "currency" text,
  "description" text,
  "expected_revenue" bigint NOT NULL DEFAULT 0,
  "name" text,
  "next_step" text,
  "sales_stage" uuid,
  "type" uuid,
  "status" "public"."crm_Opportunity_Status" DEFAULT 'ACTIVE',
  "extras" jsonb
);

CREATE TABLE "public"."crm_campaigns" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "name" text NOT NULL,
  "description" text,
  "status" text,
  "extras" jsonb
);

CREATE TABLE "public"."crm_Opportunities_Sales_Stages" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "name" text NOT NULL,
  "probability" bigint,
  "order" bigint,
  "extras" jsonb
);

CREATE TABLE "public"."crm_Opportunities_Type" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "name" text NOT NULL,
  "order" bigint,
  "extras" jsonb
);

CREATE TABLE "public"."crm_Contacts" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL DEFAULT 0,
  "account" uuid,
  "assigned_to" uuid,
  "birthday" text,
  "created_by" uuid,
  "createdBy" uuid,
  "created_on" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "cratedAt" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "last_activity" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "updatedAt" timestamp(3),
  "updatedBy" uuid,
  "last_activity_by" uuid,
  "description" text,
  "email" text,
  "personal_email" text,
  "first_name" text,
  "last_name" text NOT NULL,
  "office_phone" text,
  "mobile_phone" text,
  "website" text,
  "position" text,
  "status" boolean NOT NULL DEFAULT true,
  "social_twitter" text,
  "social_facebook" text,
  "social_linkedin" text,
  "social_skype" text,
  "social_instagram" text,
  "social_youtube" text,
  "social_tiktok" text,
  "type" text DEFAULT 'Customer',
  "tags" text[],
  "notes" text[],
  "accountsIDs" uuid,
  "extras" jsonb
);

CREATE TABLE "public"."crm_Contracts" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "title" text NOT NULL,
  "value" integer NOT NULL,
  "startDate" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "endDate" timestamp(3),
  "renewalReminderDate" timestamp(3),
  "customerSignedDate" timestamp(3),
  "companySignedDate" timestamp(3),
  "description" text,
  "account" uuid,
  "assigned_to" uuid,
  "createdAt" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "createdBy" uuid,
  "updatedAt" timestamp(3),
  "updatedBy" uuid,
  "status" "public"."crm_Contracts_Status" NOT NULL DEFAULT 'NOTSTARTED',
  "type" text,
  "extras" jsonb
);

CREATE TABLE "public"."Boards" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "description" text NOT NULL,
  "favourite" boolean,
  "favouritePosition" bigint,
  "icon" text,
  "position" bigint,
  "title" text NOT NULL,
  "user" uuid NOT NULL,
  "visibility" text,
  "sharedWith" uuid[],
  "createdAt" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "createdBy" uuid,
  "updatedAt" timestamp(3),
  "updatedBy" uuid,
  "extras" jsonb
);

CREATE TABLE "public"."Employees" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "avatar" text NOT NULL,
  "email" text,
  "name" text NOT NULL,
  "salary" bigint NOT NULL,
  "status" text NOT NULL,
  "extras" jsonb
);

CREATE TABLE "public"."ImageUpload" (
  "id" uuid NOT NULL,
  "extras" jsonb
);

CREATE TABLE "public"."MyAccount" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "company_name" text NOT NULL,
  "is_person" boolean NOT NULL DEFAULT false,
  "email" text,
  "email_accountant" text,
  "phone_prefix" text,
  "phone" text,
  "mobile_prefix" text,
  "mobile" text,
  "fax_prefix" text,
  "fax" text,
  "website" text,
  "street" text,
  "city" text,
  "state" text,
  "zip" text,
  "country" text,
  "country_code" text,
  "billing_street" text,
  "billing_city" text,
  "billing_state" text,
  "billing_zip" text,
  "billing_country" text,
  "billing_country_code" text,
  "currency" text,
  "currency_symbol" text,
  "VAT_number" text NOT NULL,
  "TAX_number" text,
  "bank_name" text,
  "bank_account" text,
  "bank_code" text,
  "bank_IBAN" text,
  "bank_SWIFT" text,
  "extras" jsonb
);

CREATE TABLE "public"."Invoices" (
  "id" uuid NOT NULL,
  "__v" integer,
  "date_created" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "last_updated" timestamp(3) NOT NULL,
  "last_updated_by" uuid,
  "date_received" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "date_of_case" timestamp(3),
  "date_tax" timestamp(3),
  "date_due" timestamp(3),
  "description" text,
  "document_type" text,
  "favorite" boolean DEFAULT false,
  "variable_symbol" text,
  "constant_symbol" text,
  "specific_symbol" text,
  "order_number" text,
  "internal_number" text,
  "invoice_number" text,
  "invoice_amount" text,
  "invoice_file_mimeType" text NOT NULL,
  "invoice_file_url" text NOT NULL,
  "invoice_items" jsonb,
  "invoice_type" text,
  "invoice_currency" text,
  "invoice_language" text,
  "partner" text,
  "partner_street" text,
  "partner_city" text,
  "partner_zip" text,
  "partner_country" text,
  "partner_country_code" text,
  "partner_business_street" text,
  "partner_business_city" text,
  "partner_business_zip" text,
  "partner_business_country" text,
  "partner_business_country_code" text,
  "partner_VAT_number" text,
  "partner_TAX_number" text,
  "partner_TAX_local_number" text,
  "partner_phone_prefix" text,
  "partner_phone_number" text,
  "partner_fax_prefix" text,
  "partner_fax_number" text,
  "partner_email" text,
  "partner_website" text,
  "partner_is_person" boolean,
  "partner_bank" text,
  "partner_account_number" text,
  "partner_account_bank_number" text,
  "partner_IBAN" text,
  "partner_SWIFT" text,
  "partner_BIC" text,
  "rossum_status" text,
  "rossum_annotation_id" text,
  "rossum_annotation_url" text,
  "rossum_document_id" text,
  "rossum_document_url" text,
  "rossum_annotation_json_url" text,
  "rossum_annotation_xml_url" text,
  "money_s3_url" text,
  "status" text,
  "invoice_state_id" uuid,
  "assigned_user_id" uuid,
  "assigned_account_id" uuid,
  "visibility" boolean NOT NULL DEFAULT true,
  "extras" jsonb
);

CREATE TABLE "public"."invoice_States" (
  "id" uuid NOT NULL,
  "name" text NOT NULL,
  "extras" jsonb
);

CREATE TABLE "public"."Documents" (
  "id" uuid NOT NULL,
  "__v" integer,
  "date_created" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "createdAt" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "last_updated" timestamp(3),
  "updatedAt" timestamp(3),
  "document_name" text NOT NULL,
  "created_by_user" uuid,
  "createdBy" uuid,
  "description" text,
  "document_type" uuid,
  "favourite" boolean,
  "document_file_mimeType" text NOT NULL,
  "document_file_url" text NOT NULL,
  "status" text,
  "visibility" text,
  "tags" jsonb,
  "key" text,
  "size" integer,
  "assigned_user" uuid,
  "connected_documents" text[],
  "document_system_type" "public"."DocumentSystemType" DEFAULT 'OTHER',
  "extras" jsonb
);

CREATE TABLE "public"."Documents_Types" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "name" text NOT NULL,
  "extras" jsonb
);

CREATE TABLE "public"."Sections" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "board" uuid NOT NULL,
  "title" text NOT NULL,
  "position" bigint,
  "extras" jsonb
);

CREATE TABLE "public"."crm_Industry_Type" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "name" text NOT NULL,
  "extras" jsonb
);

CREATE TABLE "public"."modulStatus" (
  "id" uuid NOT NULL,
  "name" text NOT NULL,
  "isVisible" boolean NOT NULL,
  "extras" jsonb
);

CREATE TABLE "public"."Tasks" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "content" text,
  "createdAt" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "createdBy" uuid,
  "updatedAt" timestamp(3),
  "updatedBy" uuid,
  "dueDateAt" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "lastEditedAt" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "position" bigint NOT NULL,
  "priority" text NOT NULL,
  "section" uuid,
  "tags" jsonb,
  "title" text NOT NULL,
  "likes" bigint DEFAULT 0,
  "user" uuid,
  "taskStatus" "public"."taskStatus" DEFAULT 'ACTIVE',
  "extras" jsonb
);

CREATE TABLE "public"."crm_Accounts_Tasks" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "content" text,
  "createdAt" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "createdBy" uuid,
  "updatedAt" timestamp(3),
  "updatedBy" uuid,
  "dueDateAt" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "priority" text NOT NULL,
  "tags" jsonb,
  "title" text NOT NULL,
  "likes" bigint DEFAULT 0,
  "user" uuid,
  "account" uuid,
  "taskStatus" "public"."taskStatus" DEFAULT 'ACTIVE',
  "extras" jsonb
);

CREATE TABLE "public"."tasksComments" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "comment" text NOT NULL,
  "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "task" uuid,
  "assigned_crm_account_task" uuid,
  "user" uuid NOT NULL,
  "extras" jsonb
);

CREATE TABLE "public"."TodoList" (
  "id" uuid NOT NULL,
  "createdAt" text NOT NULL,
  "description" text NOT NULL,
  "title" text NOT NULL,
  "url" text NOT NULL,
  "user" text NOT NULL,
  "extras" jsonb
);

CREATE TABLE "public"."Users" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL DEFAULT 0,
  "account_name" text,
  "avatar" text,
  "email" text NOT NULL,
  "is_account_admin" boolean NOT NULL DEFAULT false,
  "is_admin" boolean NOT NULL DEFAULT false,
  "created_on" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
  "lastLoginAt" timestamp(3),
  "name" text,
  "password" text,
  "username" text,
  "userStatus" "public"."ActiveStatus" NOT NULL DEFAULT 'PENDING',
  "userLanguage" "public"."Language" NOT NULL DEFAULT 'en',
  "extras" jsonb
);

CREATE TABLE "public"."system_Modules_Enabled" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "name" text NOT NULL,
  "enabled" boolean NOT NULL,
  "position" integer NOT NULL,
  "extras" jsonb
);

CREATE TABLE "public"."secondBrain_notions" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "user" uuid NOT NULL,
  "notion_api_key" text NOT NULL,
  "notion_db_id" text NOT NULL,
  "extras" jsonb
);

CREATE TABLE "public"."openAi_keys" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "user" uuid NOT NULL,
  "organization_id" text NOT NULL,
  "api_key" text NOT NULL,
  "extras" jsonb
);

CREATE TABLE "public"."systemServices" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "name" text NOT NULL,
  "serviceUrl" text,
  "serviceId" text,
  "serviceKey" text,
  "servicePassword" text,
  "servicePort" text,
  "description" text,
  "extras" jsonb
);

CREATE TABLE "public"."gpt_models" (
  "id" uuid NOT NULL,
  "__v" integer NOT NULL,
  "model" text NOT NULL,
  "description" text,
  "status" "public"."gptStatus",
  "created_on" timestamp(3) DEFAULT CURRENT_TIMESTAMP,
  "extras" jsonb
);

CREATE TABLE "public"."DocumentsToInvoices" (
  "document_id" uuid NOT NULL,
  "invoice_id" uuid NOT NULL
);

CREATE TABLE "public"."DocumentsToOpportunities" (
  "document_id" uuid NOT NULL,
  "opportunity_id" uuid NOT NULL
);

CREATE TABLE "public"."DocumentsToContacts" (
  "document_id" uuid NOT NULL,
  "contact_id" uuid NOT NULL
);

CREATE TABLE "public"."DocumentsToTasks" (
  "document_id" uuid NOT NULL,
  "task_id" uuid NOT NULL
);

CREATE TABLE "public"."DocumentsToCrmAccountsTasks" (
  "document_id" uuid NOT NULL,
  "crm_accounts_task_id" uuid NOT NULL
);

CREATE TABLE "public"."DocumentsToLeads" (
  "document_id" uuid NOT NULL,
  "lead_id" uuid NOT NULL
);

CREATE TABLE "public"."DocumentsToAccounts" (
  "document_id" uuid NOT NULL,
  "account_id" uuid NOT NULL
);

CREATE TABLE "public"."AccountWatchers" (
  "account_id" uuid NOT NULL,
  "user_id" uuid NOT NULL
);

CREATE TABLE "public"."BoardWatchers" (
  "board_id" uuid NOT NULL,
  "user_id" uuid NOT NULL
);

CREATE TABLE "public"."ContactsToOpportunities" (
  "contact_id" uuid NOT NULL,
  "opportunity_id" uuid NOT NULL
);

ALTER TABLE "public"."crm_Accounts"
  ADD CONSTRAINT "crm_Accounts_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."crm_Leads"
  ADD CONSTRAINT "crm_Leads_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."crm_Opportunities"
  ADD CONSTRAINT "crm_Opportunities_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."crm_campaigns"
  ADD CONSTRAINT "crm_campaigns_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."crm_Opportunities_Sales_Stages"
  ADD CONSTRAINT "crm_Opportunities_Sales_Stages_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."crm_Opportunities_Type"
  ADD CONSTRAINT "crm_Opportunities_Type_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."crm_Contacts"
  ADD CONSTRAINT "crm_Contacts_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."crm_Contracts"
  ADD CONSTRAINT "crm_Contracts_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."Boards"
  ADD CONSTRAINT "Boards_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."Employees"
  ADD CONSTRAINT "Employees_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."ImageUpload"
  ADD CONSTRAINT "ImageUpload_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."MyAccount"
  ADD CONSTRAINT "MyAccount_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."Invoices"
  ADD CONSTRAINT "Invoices_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."invoice_States"
  ADD CONSTRAINT "invoice_States_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."Documents"
  ADD CONSTRAINT "Documents_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."Documents_Types"
  ADD CONSTRAINT "Documents_Types_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."Sections"
  ADD CONSTRAINT "Sections_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."crm_Industry_Type"
  ADD CONSTRAINT "crm_Industry_Type_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."modulStatus"
  ADD CONSTRAINT "modulStatus_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."Tasks"
  ADD CONSTRAINT "Tasks_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."crm_Accounts_Tasks"
  ADD CONSTRAINT "crm_Accounts_Tasks_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."tasksComments"
  ADD CONSTRAINT "tasksComments_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."TodoList"
  ADD CONSTRAINT "TodoList_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."Users"
  ADD CONSTRAINT "Users_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."system_Modules_Enabled"
  ADD CONSTRAINT "system_Modules_Enabled_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."secondBrain_notions"
  ADD CONSTRAINT "secondBrain_notions_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."openAi_keys"
  ADD CONSTRAINT "openAi_keys_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."systemServices"
  ADD CONSTRAINT "systemServices_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."gpt_models"
  ADD CONSTRAINT "gpt_models_pkey" PRIMARY KEY ("id");

ALTER TABLE "public"."DocumentsToInvoices"
  ADD CONSTRAINT "DocumentsToInvoices_pkey" PRIMARY KEY ("document_id", "invoice_id");

ALTER TABLE "public"."DocumentsToOpportunities"
  ADD CONSTRAINT "DocumentsToOpportunities_pkey" PRIMARY KEY ("document_id", "opportunity_id");

ALTER TABLE "public"."DocumentsToContacts"
  ADD CONSTRAINT "DocumentsToContacts_pkey" PRIMARY KEY ("document_id", "contact_id");

ALTER TABLE "public"."DocumentsToTasks"
  ADD CONSTRAINT "DocumentsToTasks_pkey" PRIMARY KEY ("document_id", "task_id");

ALTER TABLE "public"."DocumentsToCrmAccountsTasks"
  ADD CONSTRAINT "DocumentsToCrmAccountsTasks_pkey" PRIMARY KEY ("document_id", "crm_accounts_task_id");

ALTER TABLE "public"."DocumentsToLeads"
  ADD CONSTRAINT "DocumentsToLeads_pkey" PRIMARY KEY ("document_id", "lead_id");

ALTER TABLE "public"."DocumentsToAccounts"
  ADD CONSTRAINT "DocumentsToAccounts_pkey" PRIMARY KEY ("document_id", "account_id");

ALTER TABLE "public"."AccountWatchers"
  ADD CONSTRAINT "AccountWatchers_pkey" PRIMARY KEY ("account_id", "user_id");

ALTER TABLE "public"."BoardWatchers"
  ADD CONSTRAINT "BoardWatchers_pkey" PRIMARY KEY ("board_id", "user_id");

ALTER TABLE "public"."ContactsToOpportunities"
  ADD CONSTRAINT "ContactsToOpportunities_pkey" PRIMARY KEY ("contact_id", "opportunity_id");

CREATE INDEX "crm_Accounts_createdAt_idx" ON "public"."crm_Accounts"
  USING btree ("createdAt");

CREATE INDEX "crm_Accounts_createdBy_idx" ON "public"."crm_Accounts"
  USING btree ("createdBy");

CREATE INDEX "crm_Accounts_updatedAt_idx" ON "public"."crm_Accounts"
  USING btree ("updatedAt");

CREATE INDEX "crm_Accounts_updatedBy_idx" ON "public"."crm_Accounts"
  USING btree ("updatedBy");

CREATE INDEX "crm_Accounts_assigned_to_idx" ON "public"."crm_Accounts"
  USING btree ("assigned_to");

CREATE INDEX "crm_Accounts_industry_idx" ON "public"."crm_Accounts"
  USING btree ("industry");

CREATE INDEX "crm_Accounts_status_idx" ON "public"."crm_Accounts"
  USING btree ("status");

CREATE INDEX "crm_Accounts_type_idx" ON "public"."crm_Accounts"
  USING btree ("type");

CREATE INDEX "crm_Accounts_status_createdAt_idx" ON "public"."crm_Accounts"
  USING btree ("status", "createdAt");

-- The search index is used by:
-- SELECT * FROM "public"."crm_Accounts"
-- WHERE to_tsvector('simple'::regconfig, coalesce("name", ''))
--       @@ websearch_to_tsquery('simple', 'words to find')
--   AND octet_length(coalesce("name", '')) <= 262144;
CREATE INDEX "crm_Accounts_search_idx" ON "public"."crm_Accounts"
  USING gin ((to_tsvector('simple'::regconfig, coalesce("name", ''))))
  WHERE (octet_length(coalesce("name", '')) <= 262144
  );

CREATE INDEX "crm_Leads_createdAt_idx" ON "public"."crm_Leads"
  USING btree ("createdAt");

CREATE INDEX "crm_Leads_createdBy_idx" ON "public"."crm_Leads"
  USING btree ("createdBy");

CREATE INDEX "crm_Leads_updatedAt_idx" ON "public"."crm_Leads"
  USING btree ("updatedAt");

CREATE INDEX "crm_Leads_updatedBy_idx" ON "public"."crm_Leads"
  USING btree ("updatedBy");

CREATE INDEX "crm_Leads_status_idx" ON "public"."crm_Leads"
  USING btree ("status");

CREATE INDEX "crm_Leads_type_idx" ON "public"."crm_Leads"
  USING btree ("type");

CREATE INDEX "crm_Leads_assigned_to_idx" ON "public"."crm_Leads"
  USING btree ("assigned_to");

CREATE INDEX "crm_Leads_accountsIDs_idx" ON "public"."crm_Leads"
  USING btree ("accountsIDs");

CREATE INDEX "crm_Leads_status_createdAt_idx" ON "public"."crm_Leads"
  USING btree ("status", "createdAt");

-- The search index is used by:
-- SELECT * FROM "public"."crm_Leads"
-- WHERE to_tsvector('simple'::regconfig, coalesce("firstName", '') || ' ' || coalesce("lastName", '') || ' ' || coalesce("company", ''))
--       @@ websearch_to_tsquery('simple', 'words to find')
--   AND octet_length(coalesce("firstName", '') || ' ' || coalesce("lastName", '') || ' ' || coalesce("company", '')) <= 262144;
CREATE INDEX "crm_Leads_search_idx" ON "public"."crm_Leads"
  USING gin ((to_tsvector('simple'::regconfig, coalesce("firstName", '') || ' ' || coalesce("lastName", '') || ' ' || coalesce("company", ''))))
  WHERE (octet_length(coalesce("firstName", '') || ' ' || coalesce("lastName", '') || ' ' || coalesce("company", '')) <= 262144
  );

CREATE INDEX "crm_Opportunities_account_idx" ON "public"."crm_Opportunities"
  USING btree ("account");

CREATE INDEX "crm_Opportunities_assigned_to_idx" ON "public"."crm_Opportunities"
  USING btree ("assigned_to");

CREATE INDEX "crm_Opportunities_campaign_idx" ON "public"."crm_Opportunities"
  USING btree ("campaign");

CREATE INDEX "crm_Opportunities_close_date_idx" ON "public"."crm_Opportunities"
  USING btree ("close_date");

CREATE INDEX "crm_Opportunities_contact_idx" ON "public"."crm_Opportunities"
  USING btree ("contact");

CREATE INDEX "crm_Opportunities_created_by_idx" ON "public"."crm_Opportunities"
  USING btree ("created_by");

CREATE INDEX "crm_Opportunities_createdBy_idx" ON "public"."crm_Opportunities"
  USING btree ("createdBy");

CREATE INDEX "crm_Opportunities_createdAt_idx" ON "public"."crm_Opportunities"
  USING btree ("createdAt");

CREATE INDEX "crm_Opportunities_updatedAt_idx" ON "public"."crm_Opportunities"
  USING btree ("updatedAt");

CREATE INDEX "crm_Opportunities_updatedBy_idx" ON "public"."crm_Opportunities"
  USING btree ("updatedBy");

CREATE INDEX "crm_Opportunities_last_activity_by_idx" ON "public"."crm_Opportunities"
  USING btree ("last_activity_by");

CREATE INDEX "crm_Opportunities_sales_stage_idx" ON "public"."crm_Opportunities"
  USING btree ("sales_stage");

CREATE INDEX "crm_Opportunities_type_idx" ON "public"."crm_Opportunities"
  USING btree ("type");

CREATE INDEX "crm_Opportunities_status_idx" ON "public"."crm_Opportunities"
  USING btree ("status");

CREATE INDEX "crm_Opportunities_status_sales_stage_idx" ON "public"."crm_Opportunities"
  USING btree ("status", "sales_stage");

CREATE INDEX "crm_Opportunities_status_createdAt_idx" ON "public"."crm_Opportunities"
  USING btree ("status", "createdAt");

CREATE INDEX "crm_Opportunities_active_idx" ON "public"."crm_Opportunities"
  USING btree ("sales_stage", "budget", "expected_revenue")
  WHERE (status = 'ACTIVE'
  );

-- The search index is used by:
-- SELECT * FROM "public"."crm_Opportunities"
-- WHERE to_tsvector('simple'::regconfig, coalesce("name", '') || ' ' || coalesce("description", ''))
--       @@ websearch_to_tsquery('simple', 'words to find')
--   AND octet_length(coalesce("name", '') || ' ' || coalesce("description", '')) <= 262144;
CREATE INDEX "crm_Opportunities_search_idx" ON "public"."crm_Opportunities"
  USING gin ((to_tsvector('simple'::regconfig, coalesce("name", '') || ' ' || coalesce("description", ''))))
  WHERE (octet_length(coalesce("name", '') || ' ' || coalesce("description", '')) <= 262144
  );

CREATE INDEX "crm_Contacts_account_idx" ON "public"."crm_Contacts"
  USING btree ("account");

CREATE INDEX "crm_Contacts_assigned_to_idx" ON "public"."crm_Contacts"
  USING btree ("assigned_to");

CREATE INDEX "crm_Contacts_created_by_idx" ON "public"."crm_Contacts"
  USING btree ("created_by");

CREATE INDEX "crm_Contacts_createdBy_idx" ON "public"."crm_Contacts"
  USING btree ("createdBy");

CREATE INDEX "crm_Contacts_cratedAt_idx" ON "public"."crm_Contacts"
  USING btree ("cratedAt");

CREATE INDEX "crm_Contacts_last_activity_idx" ON "public"."crm_Contacts"
  USING btree ("last_activity");

CREATE INDEX "crm_Contacts_updatedAt_idx" ON "public"."crm_Contacts"
  USING btree ("updatedAt");

CREATE INDEX "crm_Contacts_updatedBy_idx" ON "public"."crm_Contacts"
  USING btree ("updatedBy");

CREATE INDEX "crm_Contacts_last_activity_by_idx" ON "public"."crm_Contacts"
  USING btree ("last_activity_by");

CREATE INDEX "crm_Contacts_status_idx" ON "public"."crm_Contacts"
  USING btree ("status");

CREATE INDEX "crm_Contacts_type_idx" ON "public"."crm_Contacts"
  USING btree ("type");

CREATE INDEX "crm_Contacts_notes_idx" ON "public"."crm_Contacts"
  USING gin ("notes");

CREATE INDEX "crm_Contacts_accountsIDs_idx" ON "public"."crm_Contacts"
  USING btree ("accountsIDs");

-- The search index is used by:
-- SELECT * FROM "public"."crm_Contacts"
-- WHERE to_tsvector('simple'::regconfig, coalesce("first_name", '') || ' ' || coalesce("last_name", '') || ' ' || coalesce("public"."isthmus_array_text"("notes"::text[]), ''))
--       @@ websearch_to_tsquery('simple', 'words to find')
--   AND octet_length(coalesce("first_name", '') || ' ' || coalesce("last_name", '') || ' ' || coalesce("public"."isthmus_array_text"("notes"::text[]), '')) <= 262144;
CREATE INDEX "crm_Contacts_search_idx" ON "public"."crm_Contacts"
  USING gin ((to_tsvector('simple'::regconfig, coalesce("first_name", '') || ' ' || coalesce("last_name", '') || ' ' || coalesce("public"."isthmus_array_text"("notes"::text[]), ''))))
  WHERE (octet_length(coalesce("first_name", '') || ' ' || coalesce("last_name", '') || ' ' || coalesce("public"."isthmus_array_text"("notes"::text[]), '')) <= 262144
  );

CREATE INDEX "crm_Contracts_startDate_idx" ON "public"."crm_Contracts"
  USING btree ("startDate");

CREATE INDEX "crm_Contracts_endDate_idx" ON "public"."crm_Contracts"
  USING btree ("endDate");

CREATE INDEX "crm_Contracts_account_idx" ON "public"."crm_Contracts"
  USING btree ("account");

CREATE INDEX "crm_Contracts_assigned_to_idx" ON "public"."crm_Contracts"
  USING btree ("assigned_to");

CREATE INDEX "crm_Contracts_createdAt_idx" ON "public"."crm_Contracts"
  USING btree ("createdAt");

CREATE INDEX "crm_Contracts_createdBy_idx" ON "public"."crm_Contracts"
  USING btree ("createdBy");

CREATE INDEX "crm_Contracts_updatedAt_idx" ON "public"."crm_Contracts"
  USING btree ("updatedAt");

CREATE INDEX "crm_Contracts_updatedBy_idx" ON "public"."crm_Contracts"
  USING btree ("updatedBy");

CREATE INDEX "crm_Contracts_status_idx" ON "public"."crm_Contracts"
  USING btree ("status");

CREATE INDEX "crm_Contracts_startDate_endDate_idx" ON "public"."crm_Contracts"
  USING btree ("startDate", "endDate");

CREATE INDEX "Boards_favourite_idx" ON "public"."Boards"
  USING btree ("favourite");

CREATE INDEX "Boards_user_idx" ON "public"."Boards"
  USING btree ("user");

CREATE INDEX "Boards_visibility_idx" ON "public"."Boards"
  USING btree ("visibility");

CREATE INDEX "Boards_sharedWith_idx" ON "public"."Boards"
  USING gin ("sharedWith");

CREATE INDEX "Boards_createdAt_idx" ON "public"."Boards"
  USING btree ("createdAt");

CREATE INDEX "Boards_createdBy_idx" ON "public"."Boards"
  USING btree ("createdBy");

CREATE INDEX "Boards_updatedAt_idx" ON "public"."Boards"
  USING btree ("updatedAt");

CREATE INDEX "Boards_updatedBy_idx" ON "public"."Boards"
  USING btree ("updatedBy");

CREATE INDEX "Boards_user_favourite_idx" ON "public"."Boards"
  USING btree ("user", "favourite");

CREATE INDEX "Invoices_date_created_idx" ON "public"."Invoices"
  USING btree ("date_created");

CREATE INDEX "Invoices_last_updated_idx" ON "public"."Invoices"
  USING btree ("last_updated");

CREATE INDEX "Invoices_last_updated_by_idx" ON "public"."Invoices"
  USING btree ("last_updated_by");

CREATE INDEX "Invoices_date_due_idx" ON "public"."Invoices"
  USING btree ("date_due");

CREATE INDEX "Invoices_favorite_idx" ON "public"."Invoices"
  USING btree ("favorite");

CREATE INDEX "Invoices_invoice_items_idx" ON "public"."Invoices"
  USING gin ("invoice_items");

CREATE INDEX "Invoices_invoice_type_idx" ON "public"."Invoices"
  USING btree ("invoice_type");

CREATE INDEX "Invoices_status_idx" ON "public"."Invoices"
  USING btree ("status");

CREATE INDEX "Invoices_invoice_state_id_idx" ON "public"."Invoices"
  USING btree ("invoice_state_id");

CREATE INDEX "Invoices_assigned_user_id_idx" ON "public"."Invoices"
  USING btree ("assigned_user_id");

CREATE INDEX "Invoices_assigned_account_id_idx" ON "public"."Invoices"
  USING btree ("assigned_account_id");

CREATE INDEX "Invoices_status_date_created_idx" ON "public"."Invoices"
  USING btree ("status", "date_created");

-- The search index is used by:
-- SELECT * FROM "public"."Invoices"
-- WHERE to_tsvector('simple'::regconfig, coalesce("invoice_number", '') || ' ' || coalesce("partner", '') || ' ' || coalesce("description", ''))
--       @@ websearch_to_tsquery('simple', 'words to find')
--   AND octet_length(coalesce("invoice_number", '') || ' ' || coalesce("partner", '') || ' ' || coalesce("description", '')) <= 262144;
CREATE INDEX "Invoices_search_idx" ON "public"."Invoices"
  USING gin ((to_tsvector('simple'::regconfig, coalesce("invoice_number", '') || ' ' || coalesce("partner", '') || ' ' || coalesce("description", ''))))
  WHERE (octet_length(coalesce("invoice_number", '') || ' ' || coalesce("partner", '') || ' ' || coalesce("description", '')) <= 262144
  );

CREATE INDEX "Documents_createdAt_idx" ON "public"."Documents"
  USING btree ("createdAt");

CREATE INDEX "Documents_updatedAt_idx" ON "public"."Documents"
  USING btree ("updatedAt");

CREATE INDEX "Documents_created_by_user_idx" ON "public"."Documents"
  USING btree ("created_by_user");

CREATE INDEX "Documents_createdBy_idx" ON "public"."Documents"
  USING btree ("createdBy");

CREATE INDEX "Documents_document_type_idx" ON "public"."Documents"
  USING btree ("document_type");

CREATE INDEX "Documents_favourite_idx" ON "public"."Documents"
  USING btree ("favourite");

CREATE INDEX "Documents_status_idx" ON "public"."Documents"
  USING btree ("status");

CREATE INDEX "Documents_visibility_idx" ON "public"."Documents"
  USING btree ("visibility");

CREATE INDEX "Documents_tags_idx" ON "public"."Documents"
  USING gin ("tags");

CREATE INDEX "Documents_assigned_user_idx" ON "public"."Documents"
  USING btree ("assigned_user");

CREATE INDEX "Documents_document_system_type_idx" ON "public"."Documents"
  USING btree ("document_system_type");

-- The search index is used by:
-- SELECT * FROM "public"."Documents"
-- WHERE to_tsvector('simple'::regconfig, coalesce("document_name", '') || ' ' || coalesce("description", ''))
--       @@ websearch_to_tsquery('simple', 'words to find')
--   AND octet_length(coalesce("document_name", '') || ' ' || coalesce("description", '')) <= 262144;
CREATE INDEX "Documents_search_idx" ON "public"."Documents"
  USING gin ((to_tsvector('simple'::regconfig, coalesce("document_name", '') || ' ' || coalesce("description", ''))))
  WHERE (octet_length(coalesce("document_name", '') || ' ' || coalesce("description", '')) <= 262144
  );

CREATE INDEX "Sections_board_idx" ON "public"."Sections"
  USING btree ("board");

CREATE INDEX "Tasks_createdAt_idx" ON "public"."Tasks"
  USING btree ("createdAt");

CREATE INDEX "Tasks_createdBy_idx" ON "public"."Tasks"
  USING btree ("createdBy");

CREATE INDEX "Tasks_updatedAt_idx" ON "public"."Tasks"
  USING btree ("updatedAt");

CREATE INDEX "Tasks_updatedBy_idx" ON "public"."Tasks"
  USING btree ("updatedBy");

CREATE INDEX "Tasks_dueDateAt_idx" ON "public"."Tasks"
  USING btree ("dueDateAt");

CREATE INDEX "Tasks_priority_idx" ON "public"."Tasks"
  USING btree ("priority");

CREATE INDEX "Tasks_section_idx" ON "public"."Tasks"
  USING btree ("section");

CREATE INDEX "Tasks_tags_idx" ON "public"."Tasks"
  USING gin ("tags");

CREATE INDEX "Tasks_user_idx" ON "public"."Tasks"
  USING btree ("user");

CREATE INDEX "Tasks_taskStatus_idx" ON "public"."Tasks"
  USING btree ("taskStatus");

CREATE INDEX "Tasks_user_taskStatus_idx" ON "public"."Tasks"
  USING btree ("user", "taskStatus");

CREATE INDEX "Tasks_active_idx" ON "public"."Tasks"
  USING btree ("user", "dueDateAt")
  WHERE ("taskStatus" = 'ACTIVE'
  );

-- The search index is used by:
-- SELECT * FROM "public"."Tasks"
-- WHERE to_tsvector('simple'::regconfig, coalesce("title", '') || ' ' || coalesce("content", ''))
--       @@ websearch_to_tsquery('simple', 'words to find')
--   AND octet_length(coalesce("title", '') || ' ' || coalesce("content", '')) <= 262144;
CREATE INDEX "Tasks_search_idx" ON "public"."Tasks"
  USING gin ((to_tsvector('simple'::regconfig, coalesce("title", '') || ' ' || coalesce("content", ''))))
  WHERE (octet_length(coalesce("title", '') || ' ' || coalesce("content", '')) <= 262144
  );

CREATE INDEX "crm_Accounts_Tasks_createdAt_idx" ON "public"."crm_Accounts_Tasks"
  USING btree ("createdAt");

CREATE INDEX "crm_Accounts_Tasks_createdBy_idx" ON "public"."crm_Accounts_Tasks"
  USING btree ("createdBy");

CREATE INDEX "crm_Accounts_Tasks_updatedAt_idx" ON "public"."crm_Accounts_Tasks"
  USING btree ("updatedAt");

CREATE INDEX "crm_Accounts_Tasks_updatedBy_idx" ON "public"."crm_Accounts_Tasks"
  USING btree ("updatedBy");

CREATE INDEX "crm_Accounts_Tasks_dueDateAt_idx" ON "public"."crm_Accounts_Tasks"
  USING btree ("dueDateAt");

CREATE INDEX "crm_Accounts_Tasks_priority_idx" ON "public"."crm_Accounts_Tasks"
  USING btree ("priority");

CREATE INDEX "crm_Accounts_Tasks_tags_idx" ON "public"."crm_Accounts_Tasks"
  USING gin ("tags");

CREATE INDEX "crm_Accounts_Tasks_user_idx" ON "public"."crm_Accounts_Tasks"
  USING btree ("user");

CREATE INDEX "crm_Accounts_Tasks_account_idx" ON "public"."crm_Accounts_Tasks"
  USING btree ("account");

CREATE INDEX "crm_Accounts_Tasks_taskStatus_idx" ON "public"."crm_Accounts_Tasks"
  USING btree ("taskStatus");

CREATE INDEX "crm_Accounts_Tasks_account_taskStatus_idx" ON "public"."crm_Accounts_Tasks"
  USING btree ("account", "taskStatus");

CREATE INDEX "crm_Accounts_Tasks_active_idx" ON "public"."crm_Accounts_Tasks"
  USING btree ("user", "dueDateAt")
  WHERE ("taskStatus" = 'ACTIVE'
  );

-- The search index is used by:
-- SELECT * FROM "public"."crm_Accounts_Tasks"
-- WHERE to_tsvector('simple'::regconfig, coalesce("title", '') || ' ' || coalesce("content", ''))
--       @@ websearch_to_tsquery('simple', 'words to find')
--   AND octet_length(coalesce("title", '') || ' ' || coalesce("content", '')) <= 262144;
CREATE INDEX "crm_Accounts_Tasks_search_idx" ON "public"."crm_Accounts_Tasks"
  USING gin ((to_tsvector('simple'::regconfig, coalesce("title", '') || ' ' || coalesce("content", ''))))
  WHERE (octet_length(coalesce("title", '') || ' ' || coalesce("content", '')) <= 262144
  );

CREATE INDEX "tasksComments_task_idx" ON "public"."tasksComments"
  USING btree ("task");

CREATE INDEX "tasksComments_assigned_crm_account_task_idx" ON "public"."tasksComments"
  USING btree ("assigned_crm_account_task");

CREATE INDEX "tasksComments_user_idx" ON "public"."tasksComments"
  USING btree ("user");

CREATE INDEX "TodoList_user_idx" ON "public"."TodoList"
  USING btree ("user");

CREATE UNIQUE INDEX "Users_email_key" ON "public"."Users"
  USING btree ("email");

CREATE INDEX "Users_is_account_admin_idx" ON "public"."Users"
  USING btree ("is_account_admin");

CREATE INDEX "Users_is_admin_idx" ON "public"."Users"
  USING btree ("is_admin");

CREATE INDEX "Users_created_on_idx" ON "public"."Users"
  USING btree ("created_on");

CREATE INDEX "Users_lastLoginAt_idx" ON "public"."Users"
  USING btree ("lastLoginAt");

CREATE INDEX "Users_userStatus_idx" ON "public"."Users"
  USING btree ("userStatus");

CREATE INDEX "Users_userLanguage_idx" ON "public"."Users"
  USING btree ("userLanguage");

CREATE INDEX "Users_active_idx" ON "public"."Users"
  USING btree ("email")
  WHERE ("userStatus" = 'ACTIVE'
  );

CREATE INDEX "secondBrain_notions_user_idx" ON "public"."secondBrain_notions"
  USING btree ("user");

CREATE INDEX "openAi_keys_user_idx" ON "public"."openAi_keys"
  USING btree ("user");

CREATE INDEX "DocumentsToInvoices_invoice_id_idx" ON "public"."DocumentsToInvoices"
  USING btree ("invoice_id");

CREATE INDEX "DocumentsToOpportunities_opportunity_id_idx" ON "public"."DocumentsToOpportunities"
  USING btree ("opportunity_id");

CREATE INDEX "DocumentsToContacts_contact_id_idx" ON "public"."DocumentsToContacts"
  USING btree ("contact_id");

CREATE INDEX "DocumentsToTasks_task_id_idx" ON "public"."DocumentsToTasks"
  USING btree ("task_id");

CREATE INDEX "DocumentsToCrmAccountsTasks_crm_accounts_task_id_idx" ON "public"."DocumentsToCrmAccountsTasks"
  USING btree ("crm_accounts_task_id");

CREATE INDEX "DocumentsToLeads_lead_id_idx" ON "public"."DocumentsToLeads"
  USING btree ("lead_id");

CREATE INDEX "DocumentsToAccounts_account_id_idx" ON "public"."DocumentsToAccounts"
  USING btree ("account_id");

CREATE INDEX "AccountWatchers_user_id_idx" ON "public"."AccountWatchers"
  USING btree ("user_id");

CREATE INDEX "BoardWatchers_user_id_idx" ON "public"."BoardWatchers"
  USING btree ("user_id");

CREATE INDEX "ContactsToOpportunities_opportunity_id_idx" ON "public"."ContactsToOpportunities"
  USING btree ("opportunity_id");

ALTER TABLE "public"."crm_Accounts"
  ADD CONSTRAINT "crm_Accounts_createdBy_fkey" FOREIGN KEY ("createdBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Accounts"
  ADD CONSTRAINT "crm_Accounts_updatedBy_fkey" FOREIGN KEY ("updatedBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Accounts"
  ADD CONSTRAINT "crm_Accounts_assigned_to_fkey" FOREIGN KEY ("assigned_to")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Accounts"
  ADD CONSTRAINT "crm_Accounts_industry_fkey" FOREIGN KEY ("industry")
  REFERENCES "public"."crm_Industry_Type" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Leads"
  ADD CONSTRAINT "crm_Leads_createdBy_fkey" FOREIGN KEY ("createdBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Leads"
  ADD CONSTRAINT "crm_Leads_updatedBy_fkey" FOREIGN KEY ("updatedBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Leads"
  ADD CONSTRAINT "crm_Leads_assigned_to_fkey" FOREIGN KEY ("assigned_to")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Leads"
  ADD CONSTRAINT "crm_Leads_accountsIDs_fkey" FOREIGN KEY ("accountsIDs")
  REFERENCES "public"."crm_Accounts" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Opportunities"
  ADD CONSTRAINT "crm_Opportunities_account_fkey" FOREIGN KEY ("account")
  REFERENCES "public"."crm_Accounts" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Opportunities"
  ADD CONSTRAINT "crm_Opportunities_assigned_to_fkey" FOREIGN KEY ("assigned_to")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Opportunities"
  ADD CONSTRAINT "crm_Opportunities_campaign_fkey" FOREIGN KEY ("campaign")
  REFERENCES "public"."crm_campaigns" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Opportunities"
  ADD CONSTRAINT "crm_Opportunities_contact_fkey" FOREIGN KEY ("contact")
  REFERENCES "public"."crm_Contacts" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Opportunities"
  ADD CONSTRAINT "crm_Opportunities_created_by_fkey" FOREIGN KEY ("created_by")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Opportunities"
  ADD CONSTRAINT "crm_Opportunities_createdBy_fkey" FOREIGN KEY ("createdBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Opportunities"
  ADD CONSTRAINT "crm_Opportunities_updatedBy_fkey" FOREIGN KEY ("updatedBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Opportunities"
  ADD CONSTRAINT "crm_Opportunities_last_activity_by_fkey" FOREIGN KEY ("last_activity_by")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Opportunities"
  ADD CONSTRAINT "crm_Opportunities_sales_stage_fkey" FOREIGN KEY ("sales_stage")
  REFERENCES "public"."crm_Opportunities_Sales_Stages" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Opportunities"
  ADD CONSTRAINT "crm_Opportunities_type_fkey" FOREIGN KEY ("type")
  REFERENCES "public"."crm_Opportunities_Type" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Contacts"
  ADD CONSTRAINT "crm_Contacts_account_fkey" FOREIGN KEY ("account")
  REFERENCES "public"."crm_Accounts" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Contacts"
  ADD CONSTRAINT "crm_Contacts_assigned_to_fkey" FOREIGN KEY ("assigned_to")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Contacts"
  ADD CONSTRAINT "crm_Contacts_created_by_fkey" FOREIGN KEY ("created_by")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Contacts"
  ADD CONSTRAINT "crm_Contacts_createdBy_fkey" FOREIGN KEY ("createdBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Contacts"
  ADD CONSTRAINT "crm_Contacts_updatedBy_fkey" FOREIGN KEY ("updatedBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Contacts"
  ADD CONSTRAINT "crm_Contacts_last_activity_by_fkey" FOREIGN KEY ("last_activity_by")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Contacts"
  ADD CONSTRAINT "crm_Contacts_accountsIDs_fkey" FOREIGN KEY ("accountsIDs")
  REFERENCES "public"."crm_Accounts" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Contracts"
  ADD CONSTRAINT "crm_Contracts_account_fkey" FOREIGN KEY ("account")
  REFERENCES "public"."crm_Accounts" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Contracts"
  ADD CONSTRAINT "crm_Contracts_assigned_to_fkey" FOREIGN KEY ("assigned_to")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Contracts"
  ADD CONSTRAINT "crm_Contracts_createdBy_fkey" FOREIGN KEY ("createdBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Contracts"
  ADD CONSTRAINT "crm_Contracts_updatedBy_fkey" FOREIGN KEY ("updatedBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."Boards"
  ADD CONSTRAINT "Boards_user_fkey" FOREIGN KEY ("user")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE RESTRICT;

ALTER TABLE "public"."Boards"
  ADD CONSTRAINT "Boards_createdBy_fkey" FOREIGN KEY ("createdBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."Boards"
  ADD CONSTRAINT "Boards_updatedBy_fkey" FOREIGN KEY ("updatedBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."Invoices"
  ADD CONSTRAINT "Invoices_last_updated_by_fkey" FOREIGN KEY ("last_updated_by")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."Invoices"
  ADD CONSTRAINT "Invoices_invoice_state_id_fkey" FOREIGN KEY ("invoice_state_id")
  REFERENCES "public"."invoice_States" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."Invoices"
  ADD CONSTRAINT "Invoices_assigned_user_id_fkey" FOREIGN KEY ("assigned_user_id")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."Invoices"
  ADD CONSTRAINT "Invoices_assigned_account_id_fkey" FOREIGN KEY ("assigned_account_id")
  REFERENCES "public"."crm_Accounts" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."Documents"
  ADD CONSTRAINT "Documents_created_by_user_fkey" FOREIGN KEY ("created_by_user")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."Documents"
  ADD CONSTRAINT "Documents_createdBy_fkey" FOREIGN KEY ("createdBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."Documents"
  ADD CONSTRAINT "Documents_document_type_fkey" FOREIGN KEY ("document_type")
  REFERENCES "public"."Documents_Types" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."Documents"
  ADD CONSTRAINT "Documents_assigned_user_fkey" FOREIGN KEY ("assigned_user")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."Sections"
  ADD CONSTRAINT "Sections_board_fkey" FOREIGN KEY ("board")
  REFERENCES "public"."Boards" ("id") ON UPDATE CASCADE ON DELETE RESTRICT;

ALTER TABLE "public"."Tasks"
  ADD CONSTRAINT "Tasks_createdBy_fkey" FOREIGN KEY ("createdBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."Tasks"
  ADD CONSTRAINT "Tasks_updatedBy_fkey" FOREIGN KEY ("updatedBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."Tasks"
  ADD CONSTRAINT "Tasks_section_fkey" FOREIGN KEY ("section")
  REFERENCES "public"."Sections" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."Tasks"
  ADD CONSTRAINT "Tasks_user_fkey" FOREIGN KEY ("user")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Accounts_Tasks"
  ADD CONSTRAINT "crm_Accounts_Tasks_createdBy_fkey" FOREIGN KEY ("createdBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Accounts_Tasks"
  ADD CONSTRAINT "crm_Accounts_Tasks_updatedBy_fkey" FOREIGN KEY ("updatedBy")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Accounts_Tasks"
  ADD CONSTRAINT "crm_Accounts_Tasks_user_fkey" FOREIGN KEY ("user")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."crm_Accounts_Tasks"
  ADD CONSTRAINT "crm_Accounts_Tasks_account_fkey" FOREIGN KEY ("account")
  REFERENCES "public"."crm_Accounts" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."tasksComments"
  ADD CONSTRAINT "tasksComments_task_fkey" FOREIGN KEY ("task")
  REFERENCES "public"."Tasks" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."tasksComments"
  ADD CONSTRAINT "tasksComments_assigned_crm_account_task_fkey" FOREIGN KEY ("assigned_crm_account_task")
  REFERENCES "public"."crm_Accounts_Tasks" ("id") ON UPDATE CASCADE ON DELETE SET NULL;

ALTER TABLE "public"."tasksComments"
  ADD CONSTRAINT "tasksComments_user_fkey" FOREIGN KEY ("user")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE RESTRICT;

ALTER TABLE "public"."secondBrain_notions"
  ADD CONSTRAINT "secondBrain_notions_user_fkey" FOREIGN KEY ("user")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE RESTRICT;

ALTER TABLE "public"."openAi_keys"
  ADD CONSTRAINT "openAi_keys_user_fkey" FOREIGN KEY ("user")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE RESTRICT;

ALTER TABLE "public"."DocumentsToInvoices"
  ADD CONSTRAINT "DocumentsToInvoices_document_id_fkey" FOREIGN KEY ("document_id")
  REFERENCES "public"."Documents" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."DocumentsToInvoices"
  ADD CONSTRAINT "DocumentsToInvoices_invoice_id_fkey" FOREIGN KEY ("invoice_id")
  REFERENCES "public"."Invoices" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."DocumentsToOpportunities"
  ADD CONSTRAINT "DocumentsToOpportunities_document_id_fkey" FOREIGN KEY ("document_id")
  REFERENCES "public"."Documents" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."DocumentsToOpportunities"
  ADD CONSTRAINT "DocumentsToOpportunities_opportunity_id_fkey" FOREIGN KEY ("opportunity_id")
  REFERENCES "public"."crm_Opportunities" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."DocumentsToContacts"
  ADD CONSTRAINT "DocumentsToContacts_document_id_fkey" FOREIGN KEY ("document_id")
  REFERENCES "public"."Documents" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."DocumentsToContacts"
  ADD CONSTRAINT "DocumentsToContacts_contact_id_fkey" FOREIGN KEY ("contact_id")
  REFERENCES "public"."crm_Contacts" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."DocumentsToTasks"
  ADD CONSTRAINT "DocumentsToTasks_document_id_fkey" FOREIGN KEY ("document_id")
  REFERENCES "public"."Documents" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."DocumentsToTasks"
  ADD CONSTRAINT "DocumentsToTasks_task_id_fkey" FOREIGN KEY ("task_id")
  REFERENCES "public"."Tasks" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."DocumentsToCrmAccountsTasks"
  ADD CONSTRAINT "DocumentsToCrmAccountsTasks_document_id_fkey" FOREIGN KEY ("document_id")
  REFERENCES "public"."Documents" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."DocumentsToCrmAccountsTasks"
  ADD CONSTRAINT "DocumentsToCrmAccountsTasks_crm_accounts_task_id_fkey" FOREIGN KEY ("crm_accounts_task_id")
  REFERENCES "public"."crm_Accounts_Tasks" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."DocumentsToLeads"
  ADD CONSTRAINT "DocumentsToLeads_document_id_fkey" FOREIGN KEY ("document_id")
  REFERENCES "public"."Documents" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."DocumentsToLeads"
  ADD CONSTRAINT "DocumentsToLeads_lead_id_fkey" FOREIGN KEY ("lead_id")
  REFERENCES "public"."crm_Leads" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."DocumentsToAccounts"
  ADD CONSTRAINT "DocumentsToAccounts_document_id_fkey" FOREIGN KEY ("document_id")
  REFERENCES "public"."Documents" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."DocumentsToAccounts"
  ADD CONSTRAINT "DocumentsToAccounts_account_id_fkey" FOREIGN KEY ("account_id")
  REFERENCES "public"."crm_Accounts" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."AccountWatchers"
  ADD CONSTRAINT "AccountWatchers_account_id_fkey" FOREIGN KEY ("account_id")
  REFERENCES "public"."crm_Accounts" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."AccountWatchers"
  ADD CONSTRAINT "AccountWatchers_user_id_fkey" FOREIGN KEY ("user_id")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."BoardWatchers"
  ADD CONSTRAINT "BoardWatchers_board_id_fkey" FOREIGN KEY ("board_id")
  REFERENCES "public"."Boards" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."BoardWatchers"
  ADD CONSTRAINT "BoardWatchers_user_id_fkey" FOREIGN KEY ("user_id")
  REFERENCES "public"."Users" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."ContactsToOpportunities"
  ADD CONSTRAINT "ContactsToOpportunities_contact_id_fkey" FOREIGN KEY ("contact_id")
  REFERENCES "public"."crm_Contacts" ("id") ON UPDATE CASCADE ON DELETE CASCADE;

ALTER TABLE "public"."ContactsToOpportunities"
  ADD CONSTRAINT "ContactsToOpportunities_opportunity_id_fkey" FOREIGN KEY ("opportunity_id")
  REFERENCES "public"."crm_Opportunities" ("id") ON UPDATE CASCADE ON DELETE CASCADE;
