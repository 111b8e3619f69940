-- name: documents_page
-- The list of documents, newest first, a page by its offset.
SELECT d.id, d.document_name, d."document_file_mimeType", d.status, d."createdAt", t.name AS type_name,
  u.name AS assigned_to_name
FROM "Documents" d
  LEFT JOIN "Documents_Types" t ON t.id = d.document_type
  LEFT JOIN "Users" u ON u.id = d.assigned_user
ORDER BY d."createdAt" DESC
LIMIT 50 OFFSET %(offset)s

-- name: documents_recently_updated
-- What changed last, behind the last row of the page before.
SELECT id, document_name, "updatedAt"
FROM "Documents"
WHERE ("updatedAt", id) < (%(updated_at)s, %(id)s)
ORDER BY "updatedAt" DESC, id DESC
LIMIT 50

-- name: documents_of_user
-- The documents somebody has to look at.
SELECT id, document_name, document_file_url, status, "createdAt"
FROM "Documents"
WHERE assigned_user = %(user)s
ORDER BY "createdAt" DESC
LIMIT 50

-- name: documents_with_tag
-- Documents that have a tag with this name and colour.
SELECT id, document_name, tags
FROM "Documents"
WHERE tags @> %(tags)s::jsonb
ORDER BY "createdAt" DESC
LIMIT 50

-- name: document_links
-- Everything a document is connected with, through its seven junctions.
SELECT 'account' AS kind, a.id, a.name
FROM "DocumentsToAccounts" p JOIN "crm_Accounts" a ON a.id = p.account_id WHERE p.document_id = %(document)s
UNION ALL
SELECT 'contact', c.id, c.last_name
FROM "DocumentsToContacts" p JOIN "crm_Contacts" c ON c.id = p.contact_id WHERE p.document_id = %(document)s
UNION ALL
SELECT 'lead', l.id, l."lastName"
FROM "DocumentsToLeads" p JOIN "crm_Leads" l ON l.id = p.lead_id WHERE p.document_id = %(document)s
UNION ALL
SELECT 'opportunity', o.id, o.name
FROM "DocumentsToOpportunities" p JOIN "crm_Opportunities" o ON o.id = p.opportunity_id WHERE p.document_id = %(document)s
UNION ALL
SELECT 'task', t.id, t.title
FROM "DocumentsToTasks" p JOIN "Tasks" t ON t.id = p.task_id WHERE p.document_id = %(document)s
UNION ALL
SELECT 'crm_task', t.id, t.title
FROM "DocumentsToCrmAccountsTasks" p JOIN "crm_Accounts_Tasks" t ON t.id = p.crm_accounts_task_id
WHERE p.document_id = %(document)s
UNION ALL
SELECT 'invoice', i.id, i.invoice_number
FROM "DocumentsToInvoices" p JOIN "Invoices" i ON i.id = p.invoice_id WHERE p.document_id = %(document)s

-- name: documents_total
-- How many documents there are: a figure of the dashboard.
SELECT count(*) FROM "Documents"

-- name: lead_documents
-- The documents of a lead, through their junction.
SELECT d.id, d.document_name, d.document_file_url
FROM "DocumentsToLeads" p JOIN "Documents" d ON d.id = p.document_id
WHERE p.lead_id = %(lead)s
ORDER BY d."createdAt" DESC

-- name: invoice_documents
-- The documents of an invoice, through their junction.
SELECT d.id, d.document_name, d.document_file_url
FROM "DocumentsToInvoices" p JOIN "Documents" d ON d.id = p.document_id
WHERE p.invoice_id = %(invoice)s
ORDER BY d."createdAt" DESC

-- name: invoices_of_status
-- Invoices of one status, newest first, before an instant.
SELECT id, invoice_number, partner, invoice_amount, invoice_currency, date_created, date_due
FROM "Invoices"
WHERE status = %(status)s AND date_created < %(created_at)s
ORDER BY date_created DESC
LIMIT 50

-- name: invoices_due
-- Invoices to be paid within a week.
SELECT id, invoice_number, partner, invoice_amount, date_due
FROM "Invoices"
WHERE date_due >= %(since)s AND date_due < %(since)s + interval '7 days' AND status = 'new'
ORDER BY date_due
LIMIT 50

-- name: invoices_with_item
-- Invoices on which this stands at this price.
SELECT id, invoice_number, partner, date_created
FROM "Invoices"
WHERE invoice_items @> %(items)s::jsonb
ORDER BY date_created DESC
LIMIT 50
