-- name: pages_of_accounts
-- The first forty pages of the list, and one far behind.
SELECT n * 50 AS "offset"
FROM (SELECT (count(*) + 49) / 50 AS pages FROM "crm_Accounts") t, generate_series(0, 200) n
WHERE n < pages AND (n < 40 OR n = 200)

-- name: pages_of_contacts
-- The first forty pages of the list, and one far behind.
SELECT n * 50 AS "offset"
FROM (SELECT (count(*) + 49) / 50 AS pages FROM "crm_Contacts") t, generate_series(0, 200) n
WHERE n < pages AND (n < 40 OR n = 200)

-- name: pages_of_documents
-- The first forty pages of the list, and one far behind.
SELECT n * 50 AS "offset"
FROM (SELECT (count(*) + 49) / 50 AS pages FROM "Documents") t, generate_series(0, 200) n
WHERE n < pages AND (n < 40 OR n = 200)

-- name: accounts_of_status
-- The last row of a page, anywhere in the list.
SELECT status, "createdAt" AS created_at, id FROM "crm_Accounts" WHERE status IS NOT NULL ORDER BY id LIMIT 500

-- name: accounts_updated
-- The last row of a page, anywhere in the list.
SELECT "updatedAt" AS updated_at, id FROM "crm_Accounts" WHERE "updatedAt" IS NOT NULL ORDER BY id LIMIT 500

-- name: account_owners
-- Users who have accounts.
SELECT assigned_to AS "user" FROM "crm_Accounts" WHERE assigned_to IS NOT NULL ORDER BY id LIMIT 500

-- name: accounts_with_documents
-- Accounts with documents, those with people who watch them first.
SELECT a.id AS account FROM "crm_Accounts" a
WHERE EXISTS (SELECT FROM "DocumentsToAccounts" p WHERE p.account_id = a.id)
ORDER BY (SELECT count(*) FROM "AccountWatchers" p WHERE p.account_id = a.id) DESC, a.id LIMIT 500

-- name: accounts_with_contacts
-- Accounts with people.
SELECT "accountsIDs" AS account FROM "crm_Contacts" WHERE "accountsIDs" IS NOT NULL ORDER BY id LIMIT 500

-- name: accounts_with_opportunities
-- Accounts with deals.
SELECT account FROM "crm_Opportunities" WHERE account IS NOT NULL ORDER BY id LIMIT 500

-- name: accounts_with_tasks
-- Accounts for which something is to be done.
SELECT account FROM "crm_Accounts_Tasks" WHERE account IS NOT NULL AND "taskStatus" = 'ACTIVE' ORDER BY id LIMIT 500

-- name: accounts_with_invoices
-- Accounts with invoices.
SELECT assigned_account_id AS account FROM "Invoices" WHERE assigned_account_id IS NOT NULL ORDER BY id LIMIT 500

-- name: watchers_of_accounts
-- Users who watch accounts.
SELECT DISTINCT user_id AS "user" FROM "AccountWatchers" ORDER BY 1 LIMIT 500

-- name: nothing
-- For statements without parameters.
SELECT

-- name: contact_owners
-- Users who have contacts.
SELECT assigned_to AS "user" FROM "crm_Contacts" WHERE assigned_to IS NOT NULL ORDER BY id LIMIT 500

-- name: notes
-- Notes as contacts have them.
SELECT notes[1] AS note FROM "crm_Contacts" WHERE notes[1] IS NOT NULL ORDER BY id LIMIT 500

-- name: contacts_with_opportunities
-- Contacts with deals.
SELECT DISTINCT contact_id AS contact FROM "ContactsToOpportunities" ORDER BY 1 LIMIT 500

-- name: contacts_with_documents
-- Contacts with documents.
SELECT DISTINCT contact_id AS contact FROM "DocumentsToContacts" ORDER BY 1 LIMIT 500

-- name: lead_owners
-- Users who have leads.
SELECT assigned_to AS "user" FROM "crm_Leads"
WHERE assigned_to IS NOT NULL AND status IN ('NEW', 'CONTACTED') ORDER BY id LIMIT 500

-- name: leads_of_status
-- Every status, and instants at which leads were made.
SELECT status, "createdAt" AS created_at FROM "crm_Leads"
WHERE status IS NOT NULL AND "createdAt" IS NOT NULL ORDER BY id LIMIT 500

-- name: emails
-- E-mails of users.
SELECT email FROM "Users" ORDER BY id LIMIT 500

-- name: logins
-- The last row of a page, anywhere in the list.
SELECT "lastLoginAt" AS login_at FROM "Users" WHERE "lastLoginAt" IS NOT NULL ORDER BY id LIMIT 500

-- name: stages
-- Every stage, from days on which deals of it close.
SELECT sales_stage AS stage, close_date AS since FROM "crm_Opportunities"
WHERE sales_stage IS NOT NULL AND close_date IS NOT NULL ORDER BY id LIMIT 500

-- name: stages_and_statuses
-- Stages with statuses that deals of them have.
SELECT DISTINCT sales_stage AS stage, status::text FROM "crm_Opportunities"
WHERE sales_stage IS NOT NULL AND status IS NOT NULL AND status <> 'ACTIVE' ORDER BY 1, 2

-- name: opportunity_statuses
-- Every status, the first forty pages of each.
SELECT status, n * 50 AS "offset"
FROM (SELECT status::text, (count(*) + 49) / 50 AS pages FROM "crm_Opportunities" WHERE status IS NOT NULL GROUP BY 1) s,
  generate_series(0, 39) n
WHERE n < pages
ORDER BY 1, 2

-- name: closings
-- Days on which deals close.
SELECT close_date AS since FROM "crm_Opportunities" WHERE close_date IS NOT NULL ORDER BY id LIMIT 500

-- name: opportunity_owners
-- Users who have deals.
SELECT assigned_to AS "user" FROM "crm_Opportunities" WHERE assigned_to IS NOT NULL ORDER BY id LIMIT 500

-- name: opportunities_with_contacts
-- Deals with people.
SELECT DISTINCT opportunity_id AS opportunity FROM "ContactsToOpportunities" ORDER BY 1 LIMIT 500

-- name: opportunities_with_documents
-- Deals with documents.
SELECT DISTINCT opportunity_id AS opportunity FROM "DocumentsToOpportunities" ORDER BY 1 LIMIT 500

-- name: endings
-- Days on which contracts end.
SELECT "endDate" AS since FROM "crm_Contracts" WHERE "endDate" IS NOT NULL ORDER BY id LIMIT 500

-- name: tasks_due
-- Users with something to do, and when.
SELECT "user", "dueDateAt" AS now FROM "Tasks"
WHERE "user" IS NOT NULL AND "dueDateAt" IS NOT NULL AND "taskStatus" = 'ACTIVE' ORDER BY id LIMIT 500

-- name: crm_tasks_due
-- Users with something to do for accounts, and when.
SELECT "user", "dueDateAt" AS now FROM "crm_Accounts_Tasks"
WHERE "user" IS NOT NULL AND "dueDateAt" IS NOT NULL AND "taskStatus" = 'ACTIVE' ORDER BY id LIMIT 500

-- name: users_of_boards
-- Users who share boards of others, and some who have boards of their own.
(SELECT unnest("sharedWith") AS "user" FROM "Boards" ORDER BY id LIMIT 400)
UNION ALL (SELECT "user" FROM "Boards" ORDER BY id LIMIT 100)

-- name: owners_of_favourites
-- Users with favourites.
SELECT "user" FROM "Boards" WHERE favourite ORDER BY id LIMIT 500

-- name: watchers_of_boards
-- Users who watch boards.
SELECT DISTINCT user_id AS "user" FROM "BoardWatchers" ORDER BY 1 LIMIT 500

-- name: boards
-- Boards with sections.
SELECT DISTINCT board FROM "Sections" ORDER BY 1 LIMIT 500

-- name: task_tags
-- Tags as tasks have them.
SELECT tags::text AS tags FROM "Tasks" WHERE jsonb_typeof(tags -> 0) = 'object' ORDER BY id LIMIT 500

-- name: crm_task_tags
-- Tags as tasks of accounts have them.
SELECT tags::text AS tags FROM "crm_Accounts_Tasks" WHERE jsonb_typeof(tags -> 0) = 'object' ORDER BY id LIMIT 500

-- name: document_tags
-- Tags as documents have them.
SELECT tags::text AS tags FROM "Documents" WHERE jsonb_typeof(tags -> 0) = 'object' ORDER BY id LIMIT 500

-- name: tasks_with_comments
-- Tasks somebody said something about.
SELECT task FROM "tasksComments" WHERE task IS NOT NULL ORDER BY id LIMIT 500

-- name: crm_tasks_with_comments
-- Tasks of accounts somebody said something about.
SELECT assigned_crm_account_task AS task FROM "tasksComments"
WHERE assigned_crm_account_task IS NOT NULL ORDER BY id LIMIT 500

-- name: tasks_with_documents
-- Tasks with documents.
SELECT DISTINCT task_id AS task FROM "DocumentsToTasks" ORDER BY 1 LIMIT 500

-- name: crm_tasks_with_documents
-- Tasks of accounts with documents.
SELECT DISTINCT crm_accounts_task_id AS task FROM "DocumentsToCrmAccountsTasks" ORDER BY 1 LIMIT 500

-- name: documents_updated
-- The last row of a page, anywhere in the list.
SELECT "updatedAt" AS updated_at, id FROM "Documents" WHERE "updatedAt" IS NOT NULL ORDER BY id LIMIT 500

-- name: users_of_documents
-- Users who have documents to look at.
SELECT assigned_user AS "user" FROM "Documents" WHERE assigned_user IS NOT NULL ORDER BY id LIMIT 500

-- name: documents
-- Documents that are connected with something.
SELECT document_id AS document FROM "DocumentsToContacts" ORDER BY document_id LIMIT 500

-- name: leads_with_documents
-- Leads with documents.
SELECT DISTINCT lead_id AS lead FROM "DocumentsToLeads" ORDER BY 1 LIMIT 500

-- name: invoices_with_documents
-- Invoices with documents.
SELECT DISTINCT invoice_id AS invoice FROM "DocumentsToInvoices" ORDER BY 1 LIMIT 500

-- name: invoices_of_status
-- Every status, and instants at which invoices were made.
SELECT status, date_created AS created_at FROM "Invoices" WHERE status IS NOT NULL ORDER BY id LIMIT 500

-- name: dues
-- Days on which invoices are to be paid.
SELECT date_due AS since FROM "Invoices" WHERE date_due IS NOT NULL AND status = 'new' ORDER BY id LIMIT 500

-- name: items
-- What stands on invoices, at which price.
SELECT jsonb_build_array((invoice_items -> 0) - 'quantity' - 'tax')::text AS items FROM "Invoices"
WHERE jsonb_typeof(invoice_items -> 0) = 'object' ORDER BY id LIMIT 500

-- name: account_words
-- Whole names; every fourth a word that is in many.
(SELECT name AS words FROM "crm_Accounts" ORDER BY id LIMIT 300)
UNION ALL (SELECT split_part(name, ' ', 3) FROM "crm_Accounts" WHERE split_part(name, ' ', 3) <> '' ORDER BY id LIMIT 100)

-- name: contact_words
-- Names; every fourth a first name that many have.
(SELECT concat_ws(' ', first_name, last_name) AS words FROM "crm_Contacts" ORDER BY id LIMIT 300)
UNION ALL (SELECT first_name FROM "crm_Contacts" WHERE first_name <> '' ORDER BY id LIMIT 100)

-- name: lead_words
-- Names; every fourth a first name that many have.
(SELECT concat_ws(' ', "firstName", "lastName") AS words FROM "crm_Leads" ORDER BY id LIMIT 300)
UNION ALL (SELECT "firstName" FROM "crm_Leads" WHERE "firstName" <> '' ORDER BY id LIMIT 100)

-- name: opportunity_words
-- Names; every fourth a word that is in many descriptions.
(SELECT name AS words FROM "crm_Opportunities" WHERE name <> '' ORDER BY id LIMIT 300)
UNION ALL (SELECT split_part(description, ' ', 1) FROM "crm_Opportunities" WHERE description <> '' ORDER BY id LIMIT 100)

-- name: task_words
-- Titles; every fourth a word that is in many texts.
(SELECT title AS words FROM "Tasks" ORDER BY id LIMIT 300)
UNION ALL (SELECT split_part(content, ' ', 1) FROM "Tasks" WHERE content <> '' ORDER BY id LIMIT 100)

-- name: crm_task_words
-- Titles; every fourth a word that is in many texts.
(SELECT title AS words FROM "crm_Accounts_Tasks" ORDER BY id LIMIT 300)
UNION ALL (SELECT split_part(content, ' ', 1) FROM "crm_Accounts_Tasks" WHERE content <> '' ORDER BY id LIMIT 100)

-- name: document_words
-- Names; every fourth a word that is in many descriptions.
(SELECT document_name AS words FROM "Documents" ORDER BY id LIMIT 300)
UNION ALL (SELECT split_part(description, ' ', 1) FROM "Documents" WHERE description <> '' ORDER BY id LIMIT 100)

-- name: invoice_words
-- Numbers; every fourth a word that is in many descriptions.
(SELECT invoice_number AS words FROM "Invoices" WHERE invoice_number <> '' ORDER BY id LIMIT 300)
UNION ALL (SELECT split_part(description, ' ', 1) FROM "Invoices" WHERE description <> '' ORDER BY id LIMIT 100)

-- name: words
-- What somebody may look for everywhere: names of accounts, contacts and documents.
(SELECT name AS words FROM "crm_Accounts" ORDER BY id LIMIT 200)
UNION ALL (SELECT last_name FROM "crm_Contacts" ORDER BY id LIMIT 200)
UNION ALL (SELECT document_name FROM "Documents" ORDER BY id LIMIT 100)

-- name: users_with_todos
-- Users with a list of their own.
SELECT "user" FROM "TodoList" ORDER BY id LIMIT 500
