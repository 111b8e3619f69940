-- name: accounts_page
-- The list of accounts, newest first, a page by its offset.
SELECT a.id, a.name, a.email, a.website, a.status, a.type, a."createdAt", u.name AS assigned_to_name, i.name AS industry_name
FROM "crm_Accounts" a
  LEFT JOIN "Users" u ON u.id = a.assigned_to
  LEFT JOIN "crm_Industry_Type" i ON i.id = a.industry
ORDER BY a."createdAt" DESC
LIMIT 50 OFFSET %(offset)s

-- name: accounts_of_status
-- Accounts of one status, newest first, the page behind the last row of the page before.
SELECT id, name, email, status, "createdAt"
FROM "crm_Accounts"
WHERE status = %(status)s AND ("createdAt", id) < (%(created_at)s, %(id)s)
ORDER BY "createdAt" DESC, id DESC
LIMIT 50

-- name: accounts_recently_updated
-- What changed last, behind the last row of the page before.
SELECT id, name, status, "updatedAt", "updatedBy"
FROM "crm_Accounts"
WHERE ("updatedAt", id) < (%(updated_at)s, %(id)s)
ORDER BY "updatedAt" DESC, id DESC
LIMIT 50

-- name: accounts_of_owner
-- The accounts somebody is responsible for.
SELECT id, name, status, type, "updatedAt"
FROM "crm_Accounts"
WHERE assigned_to = %(user)s
ORDER BY "updatedAt" DESC
LIMIT 50

-- name: account_with_documents_and_watchers
-- The page of one account: itself, its documents through their junction, who watches it.
SELECT a.*, u.name AS assigned_to_name,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'name', d.document_name, 'url', d.document_file_url)
                             ORDER BY d."createdAt" DESC), '[]')
   FROM "DocumentsToAccounts" p JOIN "Documents" d ON d.id = p.document_id
   WHERE p.account_id = a.id) AS documents,
  (SELECT coalesce(jsonb_agg(jsonb_build_object('id', w.id, 'name', w.name, 'email', w.email, 'avatar', w.avatar)
                             ORDER BY w.email), '[]')
   FROM "AccountWatchers" p JOIN "Users" w ON w.id = p.user_id
   WHERE p.account_id = a.id) AS watchers
FROM "crm_Accounts" a LEFT JOIN "Users" u ON u.id = a.assigned_to
WHERE a.id = %(account)s

-- name: account_contacts
-- The people of an account.
SELECT id, first_name, last_name, email, mobile_phone, position
FROM "crm_Contacts"
WHERE "accountsIDs" = %(account)s
ORDER BY last_name, first_name

-- name: account_opportunities
-- The deals of an account, each with its stage.
SELECT o.id, o.name, o.status, o.budget, o.expected_revenue, o.close_date, s.name AS stage_name
FROM "crm_Opportunities" o LEFT JOIN "crm_Opportunities_Sales_Stages" s ON s.id = o.sales_stage
WHERE o.account = %(account)s
ORDER BY o.close_date

-- name: account_open_tasks
-- What is to be done for an account.
SELECT id, title, priority, "dueDateAt", "user"
FROM "crm_Accounts_Tasks"
WHERE account = %(account)s AND "taskStatus" = 'ACTIVE'
ORDER BY "dueDateAt"

-- name: account_invoices
-- The invoices of an account, newest first.
SELECT id, invoice_number, invoice_amount, invoice_currency, status, date_due
FROM "Invoices"
WHERE assigned_account_id = %(account)s
ORDER BY date_created DESC
LIMIT 50

-- name: accounts_watched_by_user
-- The accounts that somebody watches.
SELECT a.id, a.name, a.status, a."updatedAt"
FROM "AccountWatchers" p JOIN "crm_Accounts" a ON a.id = p.account_id
WHERE p.user_id = %(user)s
ORDER BY a."updatedAt" DESC
LIMIT 50

-- name: accounts_total
-- How many accounts there are: a figure of the dashboard.
SELECT count(*) FROM "crm_Accounts"
