-- name: contacts_by_activity
-- The list of contacts, by what happened last, a page by its offset.
SELECT c.id, c.first_name, c.last_name, c.email, c.last_activity, a.name AS account_name
FROM "crm_Contacts" c LEFT JOIN "crm_Accounts" a ON a.id = c."accountsIDs"
ORDER BY c.last_activity DESC
LIMIT 50 OFFSET %(offset)s

-- name: contacts_of_owner
-- The contacts somebody is responsible for, newest first.
SELECT id, first_name, last_name, email, type, "cratedAt"
FROM "crm_Contacts"
WHERE assigned_to = %(user)s
ORDER BY "cratedAt" DESC
LIMIT 50

-- name: contacts_with_note
-- Contacts that have a note, by name.
SELECT id, first_name, last_name, email, notes
FROM "crm_Contacts"
WHERE notes @> ARRAY[%(note)s]::text[]
ORDER BY last_name, first_name
LIMIT 50

-- name: contact_opportunities
-- The deals of a contact, through their junction.
SELECT o.id, o.name, o.status, o.expected_revenue, o.close_date
FROM "ContactsToOpportunities" p JOIN "crm_Opportunities" o ON o.id = p.opportunity_id
WHERE p.contact_id = %(contact)s
ORDER BY o.close_date

-- name: contact_documents
-- The documents of a contact, through their junction.
SELECT d.id, d.document_name, d.document_file_url, d."createdAt"
FROM "DocumentsToContacts" p JOIN "Documents" d ON d.id = p.document_id
WHERE p.contact_id = %(contact)s
ORDER BY d."createdAt" DESC

-- name: my_open_leads
-- Leads somebody has to follow.
SELECT id, "firstName", "lastName", company, status, "createdAt"
FROM "crm_Leads"
WHERE assigned_to = %(user)s AND status IN ('NEW', 'CONTACTED')
ORDER BY "createdAt" DESC
LIMIT 50

-- name: leads_of_status
-- Leads of one status, newest first, before an instant.
SELECT id, "firstName", "lastName", company, "createdAt"
FROM "crm_Leads"
WHERE status = %(status)s AND "createdAt" < %(created_at)s
ORDER BY "createdAt" DESC
LIMIT 50

-- name: user_by_email
-- Who signs in.
SELECT id, email, password, name, avatar, "userStatus", "userLanguage", is_admin, is_account_admin
FROM "Users"
WHERE email = %(email)s

-- name: active_users
-- Whom something can be given to: a page of the users who may sign in, by e-mail.
SELECT id, name, email, avatar
FROM "Users"
WHERE "userStatus" = 'ACTIVE' AND email > %(email)s
ORDER BY email
LIMIT 50

-- name: last_logins
-- Who was here last, behind the last row of the page before.
SELECT id, name, email, "lastLoginAt"
FROM "Users"
WHERE "lastLoginAt" < %(login_at)s
ORDER BY "lastLoginAt" DESC
LIMIT 20
