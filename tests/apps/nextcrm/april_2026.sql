-- What became of the application's tables until April 2026 (its commit c60ea57d), run upon application_tables.sql. Only what
-- documents are carried to: tables and columns that are new and stay empty are left out where they may.

DROP TABLE "gpt_models", "modulStatus", "secondBrain_notions", "openAi_keys", "MyAccount", "system_Modules_Enabled",
    "DocumentsToInvoices", "Invoices", "invoice_States";

ALTER TABLE "Users"
    ADD COLUMN "role" TEXT NOT NULL DEFAULT 'member',
    ADD COLUMN "emailVerified" BOOLEAN NOT NULL DEFAULT false,
    ADD COLUMN "updated_at" TIMESTAMP(3);

ALTER TABLE "crm_Opportunities_Sales_Stages"
    ALTER COLUMN "probability" SET DATA TYPE INTEGER,
    ALTER COLUMN "order" SET DATA TYPE INTEGER;
ALTER TABLE "crm_Opportunities_Type" ALTER COLUMN "order" SET DATA TYPE INTEGER;

CREATE TABLE "Currency" (
    "code" VARCHAR(3) NOT NULL,
    "name" TEXT NOT NULL,
    "symbol" VARCHAR(5) NOT NULL,
    "isEnabled" BOOLEAN NOT NULL DEFAULT true,
    "isDefault" BOOLEAN NOT NULL DEFAULT false,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,
    CONSTRAINT "Currency_pkey" PRIMARY KEY ("code")
);
ALTER TABLE "crm_Opportunities"
    ALTER COLUMN "budget" SET DATA TYPE DECIMAL(18, 2),
    ALTER COLUMN "expected_revenue" SET DATA TYPE DECIMAL(18, 2),
    ALTER COLUMN "currency" SET DATA TYPE VARCHAR(3),
    ADD COLUMN "snapshot_rate" DECIMAL(18, 8),
    ADD CONSTRAINT "crm_Opportunities_currency_fkey" FOREIGN KEY ("currency") REFERENCES "Currency" ("code")
        ON DELETE SET NULL ON UPDATE CASCADE;
ALTER TABLE "crm_Contracts"
    ALTER COLUMN "value" SET DATA TYPE DECIMAL(18, 2),
    ADD COLUMN "currency" VARCHAR(3) REFERENCES "Currency" ("code") ON DELETE SET NULL ON UPDATE CASCADE;

CREATE TABLE "crm_Contact_Types" (
    "id" UUID NOT NULL,
    "__v" INTEGER NOT NULL DEFAULT 0,
    "name" TEXT NOT NULL,
    CONSTRAINT "crm_Contact_Types_pkey" PRIMARY KEY ("id")
);
CREATE UNIQUE INDEX "crm_Contact_Types_name_key" ON "crm_Contact_Types" ("name");
CREATE TABLE "crm_Lead_Sources" (LIKE "crm_Contact_Types" INCLUDING ALL);
CREATE TABLE "crm_Lead_Statuses" (LIKE "crm_Contact_Types" INCLUDING ALL);
CREATE TABLE "crm_Lead_Types" (LIKE "crm_Contact_Types" INCLUDING ALL);
ALTER TABLE "crm_Contacts"
    DROP COLUMN "type",
    ADD COLUMN "contact_type_id" UUID REFERENCES "crm_Contact_Types" ("id") ON DELETE SET NULL ON UPDATE CASCADE;
ALTER TABLE "crm_Leads"
    DROP COLUMN "status",
    DROP COLUMN "type",
    DROP COLUMN "lead_source",
    ADD COLUMN "lead_source_id" UUID REFERENCES "crm_Lead_Sources" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    ADD COLUMN "lead_status_id" UUID REFERENCES "crm_Lead_Statuses" ("id") ON DELETE SET NULL ON UPDATE CASCADE,
    ADD COLUMN "lead_type_id" UUID REFERENCES "crm_Lead_Types" ("id") ON DELETE SET NULL ON UPDATE CASCADE;
DROP TYPE "gptStatus", "crm_Lead_Status", "crm_Lead_Type", "crm_Contact_Type";

ALTER TYPE "DocumentSystemType" RENAME TO "DocumentSystemType_old";
CREATE TYPE "DocumentSystemType" AS ENUM ('RECEIPT', 'CONTRACT', 'OFFER', 'OTHER');
ALTER TABLE "Documents"
    ALTER COLUMN "document_system_type" DROP DEFAULT,
    ALTER COLUMN "document_system_type" SET DATA TYPE "DocumentSystemType" USING NULL,
    ALTER COLUMN "document_system_type" SET DEFAULT 'OTHER',
    ADD COLUMN "version" INTEGER NOT NULL DEFAULT 1,
    ADD COLUMN "parent_document_id" UUID REFERENCES "Documents" ("id") ON DELETE SET NULL ON UPDATE CASCADE;
DROP TYPE "DocumentSystemType_old";

-- Rows that the application's build puts there.
INSERT INTO "Currency" ("code", "name", "symbol", "updatedAt") VALUES
    ('EUR', 'Euro', '€', now()), ('USD', 'US Dollar', '$', now()), ('CZK', 'Czech Koruna', 'Kč', now());
INSERT INTO "crm_Contact_Types" ("id", "name")
    SELECT gen_random_uuid(), unnest(ARRAY['Customer', 'Partner', 'Vendor', 'Prospect']);
INSERT INTO "crm_Lead_Statuses" ("id", "name")
    SELECT gen_random_uuid(), unnest(ARRAY['New', 'Contacted', 'Qualified', 'Lost']);
INSERT INTO "crm_Lead_Types" ("id", "name") VALUES (gen_random_uuid(), 'Demo');
