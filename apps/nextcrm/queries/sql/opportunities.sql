-- name: pipeline_by_stage
-- What the deals that are going on come to, by stage.
SELECT s.name, s.probability, p.deals, p.budget, p.expected_revenue
FROM "crm_Opportunities_Sales_Stages" s
  JOIN (SELECT sales_stage, count(*) AS deals, sum(budget) AS budget, sum(expected_revenue) AS expected_revenue
        FROM "crm_Opportunities"
        WHERE status = 'ACTIVE'
        GROUP BY sales_stage) p ON p.sales_stage = s.id
ORDER BY s."order"

-- name: opportunities_of_stage
-- A column of the board of deals: those of one stage that are going on, what closes first on top.
SELECT id, name, budget, expected_revenue, close_date, assigned_to
FROM "crm_Opportunities"
WHERE status = 'ACTIVE' AND sales_stage = %(stage)s AND close_date >= %(since)s
ORDER BY close_date
LIMIT 50

-- name: opportunities_of_stage_and_status
-- How many deals of a stage are closed, say.
SELECT count(*)
FROM "crm_Opportunities"
WHERE status = %(status)s AND sales_stage = %(stage)s

-- name: opportunities_of_status
-- Deals of one status, newest first, a page by its offset.
SELECT o.id, o.name, o.status, o.budget, o.expected_revenue, o.close_date, a.name AS account_name, u.name AS assigned_to_name
FROM "crm_Opportunities" o
  LEFT JOIN "crm_Accounts" a ON a.id = o.account
  LEFT JOIN "Users" u ON u.id = o.assigned_to
WHERE o.status = %(status)s
ORDER BY o."createdAt" DESC
LIMIT 50 OFFSET %(offset)s

-- name: opportunities_closing_soon
-- Deals to be closed within thirty days.
SELECT id, name, expected_revenue, close_date, assigned_to
FROM "crm_Opportunities"
WHERE close_date >= %(since)s AND close_date < %(since)s + interval '30 days' AND status = 'ACTIVE'
ORDER BY close_date
LIMIT 50

-- name: my_opportunities
-- Somebody's deals, by what changed last.
SELECT id, name, status, expected_revenue, close_date, "updatedAt"
FROM "crm_Opportunities"
WHERE assigned_to = %(user)s
ORDER BY "updatedAt" DESC
LIMIT 50

-- name: opportunity_contacts
-- The people of a deal, through their junction.
SELECT c.id, c.first_name, c.last_name, c.email, c.position
FROM "ContactsToOpportunities" p JOIN "crm_Contacts" c ON c.id = p.contact_id
WHERE p.opportunity_id = %(opportunity)s
ORDER BY c.last_name

-- name: opportunity_documents
-- The documents of a deal, through their junction.
SELECT d.id, d.document_name, d.document_file_url
FROM "DocumentsToOpportunities" p JOIN "Documents" d ON d.id = p.document_id
WHERE p.opportunity_id = %(opportunity)s
ORDER BY d."createdAt" DESC

-- name: contracts_ending_soon
-- Contracts that end within thirty days.
SELECT k.id, k.title, k.value, k."endDate", k.status, a.name AS account_name
FROM "crm_Contracts" k LEFT JOIN "crm_Accounts" a ON a.id = k.account
WHERE k."endDate" >= %(since)s AND k."endDate" < %(since)s + interval '30 days'
ORDER BY k."endDate"
