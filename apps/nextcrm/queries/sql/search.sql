-- name: search_accounts
-- Accounts by the words of their name.
SELECT id, name, status
FROM "crm_Accounts"
WHERE to_tsvector('simple'::regconfig, coalesce("name", ''))
      @@ websearch_to_tsquery('simple', %(words)s)
  AND octet_length(coalesce("name", '')) <= 262144
ORDER BY "updatedAt" DESC
LIMIT 20

-- name: search_contacts
-- Contacts by the words of their names and notes.
SELECT id, first_name, last_name, email
FROM "crm_Contacts"
WHERE to_tsvector('simple'::regconfig, coalesce("first_name", '') || ' ' || coalesce("last_name", '') || ' ' || coalesce("public"."isthmus_array_text"("notes"::text[]), ''))
      @@ websearch_to_tsquery('simple', %(words)s)
  AND octet_length(coalesce("first_name", '') || ' ' || coalesce("last_name", '') || ' ' || coalesce("public"."isthmus_array_text"("notes"::text[]), '')) <= 262144
ORDER BY "updatedAt" DESC
LIMIT 20

-- name: search_leads
-- Leads by the words of their names and companies.
SELECT id, "firstName", "lastName", company
FROM "crm_Leads"
WHERE to_tsvector('simple'::regconfig, coalesce("firstName", '') || ' ' || coalesce("lastName", '') || ' ' || coalesce("company", ''))
      @@ websearch_to_tsquery('simple', %(words)s)
  AND octet_length(coalesce("firstName", '') || ' ' || coalesce("lastName", '') || ' ' || coalesce("company", '')) <= 262144
ORDER BY "updatedAt" DESC
LIMIT 20

-- name: search_opportunities
-- Deals by the words of their names and descriptions.
SELECT id, name, status, expected_revenue
FROM "crm_Opportunities"
WHERE to_tsvector('simple'::regconfig, coalesce("name", '') || ' ' || coalesce("description", ''))
      @@ websearch_to_tsquery('simple', %(words)s)
  AND octet_length(coalesce("name", '') || ' ' || coalesce("description", '')) <= 262144
ORDER BY "updatedAt" DESC
LIMIT 20

-- name: search_tasks
-- Tasks by the words of their titles and texts.
SELECT id, title, "dueDateAt"
FROM "Tasks"
WHERE to_tsvector('simple'::regconfig, coalesce("title", '') || ' ' || coalesce("content", ''))
      @@ websearch_to_tsquery('simple', %(words)s)
  AND octet_length(coalesce("title", '') || ' ' || coalesce("content", '')) <= 262144
ORDER BY "updatedAt" DESC
LIMIT 20

-- name: search_crm_tasks
-- Tasks of accounts by the words of their titles and texts.
SELECT id, title, "dueDateAt"
FROM "crm_Accounts_Tasks"
WHERE to_tsvector('simple'::regconfig, coalesce("title", '') || ' ' || coalesce("content", ''))
      @@ websearch_to_tsquery('simple', %(words)s)
  AND octet_length(coalesce("title", '') || ' ' || coalesce("content", '')) <= 262144
ORDER BY "updatedAt" DESC
LIMIT 20

-- name: search_documents
-- Documents by the words of their names and descriptions.
SELECT id, document_name, document_file_url
FROM "Documents"
WHERE to_tsvector('simple'::regconfig, coalesce("document_name", '') || ' ' || coalesce("description", ''))
      @@ websearch_to_tsquery('simple', %(words)s)
  AND octet_length(coalesce("document_name", '') || ' ' || coalesce("description", '')) <= 262144
ORDER BY "updatedAt" DESC
LIMIT 20

-- name: search_invoices
-- Invoices by number, partner and the words of their descriptions.
SELECT id, invoice_number, partner
FROM "Invoices"
WHERE to_tsvector('simple'::regconfig, coalesce("invoice_number", '') || ' ' || coalesce("partner", '') || ' ' || coalesce("description", ''))
      @@ websearch_to_tsquery('simple', %(words)s)
  AND octet_length(coalesce("invoice_number", '') || ' ' || coalesce("partner", '') || ' ' || coalesce("description", '')) <= 262144
ORDER BY last_updated DESC
LIMIT 20

-- name: search_everywhere
-- The field for searching everything: five of each kind.
(SELECT 'accounts' AS kind, id, name AS title
 FROM "crm_Accounts"
 WHERE to_tsvector('simple'::regconfig, coalesce("name", ''))
       @@ websearch_to_tsquery('simple', %(words)s)
   AND octet_length(coalesce("name", '')) <= 262144
 LIMIT 5)
UNION ALL
(SELECT 'contacts' AS kind, id, last_name AS title
 FROM "crm_Contacts"
 WHERE to_tsvector('simple'::regconfig, coalesce("first_name", '') || ' ' || coalesce("last_name", '') || ' ' || coalesce("public"."isthmus_array_text"("notes"::text[]), ''))
       @@ websearch_to_tsquery('simple', %(words)s)
   AND octet_length(coalesce("first_name", '') || ' ' || coalesce("last_name", '') || ' ' || coalesce("public"."isthmus_array_text"("notes"::text[]), '')) <= 262144
 LIMIT 5)
UNION ALL
(SELECT 'leads' AS kind, id, "lastName" AS title
 FROM "crm_Leads"
 WHERE to_tsvector('simple'::regconfig, coalesce("firstName", '') || ' ' || coalesce("lastName", '') || ' ' || coalesce("company", ''))
       @@ websearch_to_tsquery('simple', %(words)s)
   AND octet_length(coalesce("firstName", '') || ' ' || coalesce("lastName", '') || ' ' || coalesce("company", '')) <= 262144
 LIMIT 5)
UNION ALL
(SELECT 'opportunities' AS kind, id, name AS title
 FROM "crm_Opportunities"
 WHERE to_tsvector('simple'::regconfig, coalesce("name", '') || ' ' || coalesce("description", ''))
       @@ websearch_to_tsquery('simple', %(words)s)
   AND octet_length(coalesce("name", '') || ' ' || coalesce("description", '')) <= 262144
 LIMIT 5)
UNION ALL
(SELECT 'tasks' AS kind, id, title AS title
 FROM "Tasks"
 WHERE to_tsvector('simple'::regconfig, coalesce("title", '') || ' ' || coalesce("content", ''))
       @@ websearch_to_tsquery('simple', %(words)s)
   AND octet_length(coalesce("title", '') || ' ' || coalesce("content", '')) <= 262144
 LIMIT 5)
UNION ALL
(SELECT 'crm_tasks' AS kind, id, title AS title
 FROM "crm_Accounts_Tasks"
 WHERE to_tsvector('simple'::regconfig, coalesce("title", '') || ' ' || coalesce("content", ''))
       @@ websearch_to_tsquery('simple', %(words)s)
   AND octet_length(coalesce("title", '') || ' ' || coalesce("content", '')) <= 262144
 LIMIT 5)
UNION ALL
(SELECT 'documents' AS kind, id, document_name AS title
 FROM "Documents"
 WHERE to_tsvector('simple'::regconfig, coalesce("document_name", '') || ' ' || coalesce("description", ''))
       @@ websearch_to_tsquery('simple', %(words)s)
   AND octet_length(coalesce("document_name", '') || ' ' || coalesce("description", '')) <= 262144
 LIMIT 5)
UNION ALL
(SELECT 'invoices' AS kind, id, invoice_number AS title
 FROM "Invoices"
 WHERE to_tsvector('simple'::regconfig, coalesce("invoice_number", '') || ' ' || coalesce("partner", '') || ' ' || coalesce("description", ''))
       @@ websearch_to_tsquery('simple', %(words)s)
   AND octet_length(coalesce("invoice_number", '') || ' ' || coalesce("partner", '') || ' ' || coalesce("description", '')) <= 262144
 LIMIT 5)
