DROP TABLE
  "public"."crm_Accounts",
  "public"."crm_Leads",
  "public"."crm_Opportunities",
  "public"."crm_campaigns",
  "public"."crm_Opportunities_Sales_Stages",
  "public"."crm_Opportunities_Type",
  "public"."crm_Contacts",
  "public"."crm_Contracts",
  "public"."Boards",
  "public"."Employees",
  "public"."ImageUpload",
  "public"."MyAccount",
  "public"."Invoices",
  "public"."invoice_States",
  "public"."Documents",
  "public"."Documents_Types",
  "public"."Sections",
  "public"."crm_Industry_Type",
  "public"."modulStatus",
  "public"."Tasks",
  "public"."crm_Accounts_Tasks",
  "public"."tasksComments",
  "public"."TodoList",
  "public"."Users",
  "public"."system_Modules_Enabled",
  "public"."secondBrain_notions",
  "public"."openAi_keys",
  "public"."systemServices",
  "public"."gpt_models",
  "public"."DocumentsToInvoices",
  "public"."DocumentsToOpportunities",
  "public"."DocumentsToContacts",
  "public"."DocumentsToTasks",
  "public"."DocumentsToCrmAccountsTasks",
  "public"."DocumentsToLeads",
  "public"."DocumentsToAccounts",
  "public"."AccountWatchers",
  "public"."BoardWatchers",
  "public"."ContactsToOpportunities";
DROP FUNCTION "public"."isthmus_array_text";
DROP TYPE "public"."crm_Lead_Status";
DROP TYPE "public"."crm_Lead_Type";
DROP TYPE "public"."crm_Opportunity_Status";
DROP TYPE "public"."crm_Contact_Type";
DROP TYPE "public"."crm_Contracts_Status";
DROP TYPE "public"."DocumentSystemType";
DROP TYPE "public"."taskStatus";
DROP TYPE "public"."ActiveStatus";
DROP TYPE "public"."Language";
DROP TYPE "public"."gptStatus";
DROP EXTENSION IF EXISTS "vector";
