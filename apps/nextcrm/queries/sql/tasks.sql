-- name: tasks_due
-- What somebody has to do within a week.
SELECT id, title, priority, "dueDateAt", section
FROM "Tasks"
WHERE "user" = %(user)s AND "taskStatus" = 'ACTIVE' AND "dueDateAt" < %(now)s + interval '7 days'
ORDER BY "dueDateAt"
LIMIT 50

-- name: crm_tasks_due
-- What somebody has to do for accounts within a week.
SELECT t.id, t.title, t.priority, t."dueDateAt", a.name AS account_name
FROM "crm_Accounts_Tasks" t LEFT JOIN "crm_Accounts" a ON a.id = t.account
WHERE t."user" = %(user)s AND t."taskStatus" = 'ACTIVE' AND t."dueDateAt" < %(now)s + interval '7 days'
ORDER BY t."dueDateAt"
LIMIT 50

-- name: tasks_of_status
-- How much somebody has done, and has to do.
SELECT "taskStatus", count(*)
FROM "Tasks"
WHERE "user" = %(user)s AND "taskStatus" IN ('ACTIVE', 'PENDING', 'COMPLETE')
GROUP BY "taskStatus"

-- name: boards_of_user
-- The boards somebody made, or was given a share in.
SELECT id, title, icon, favourite, visibility, position
FROM "Boards"
WHERE "user" = %(user)s OR "sharedWith" @> ARRAY[%(user)s]::uuid[]
ORDER BY position

-- name: favourite_boards
-- The favourites of somebody.
SELECT id, title, icon, "favouritePosition"
FROM "Boards"
WHERE "user" = %(user)s AND favourite
ORDER BY "favouritePosition"

-- name: boards_watched_by_user
-- The boards somebody watches.
SELECT b.id, b.title, b.icon
FROM "BoardWatchers" p JOIN "Boards" b ON b.id = p.board_id
WHERE p.user_id = %(user)s
ORDER BY b.title

-- name: board_with_sections_and_tasks
-- A whole board: its sections in order, with the tasks of each.
SELECT s.id, s.title, s.position, t.id AS task_id, t.title AS task_title, t.position AS task_position, t.priority,
  t."dueDateAt", u.name AS user_name
FROM "Sections" s
  LEFT JOIN "Tasks" t ON t.section = s.id
  LEFT JOIN "Users" u ON u.id = t."user"
WHERE s.board = %(board)s
ORDER BY s.position, t.position

-- name: tasks_with_tag
-- Tasks that have a tag with this name and colour.
SELECT id, title, tags, "dueDateAt"
FROM "Tasks"
WHERE tags @> %(tags)s::jsonb
ORDER BY "dueDateAt"
LIMIT 50

-- name: crm_tasks_with_tag
-- Tasks of accounts that have a tag with this name and colour.
SELECT id, title, tags, "dueDateAt"
FROM "crm_Accounts_Tasks"
WHERE tags @> %(tags)s::jsonb
ORDER BY "dueDateAt"
LIMIT 50

-- name: task_comments
-- What was said about a task.
SELECT c.id, c.comment, c."createdAt", u.name, u.avatar
FROM "tasksComments" c JOIN "Users" u ON u.id = c."user"
WHERE c.task = %(task)s
ORDER BY c."createdAt"

-- name: crm_task_comments
-- What was said about a task of an account.
SELECT c.id, c.comment, c."createdAt", u.name, u.avatar
FROM "tasksComments" c JOIN "Users" u ON u.id = c."user"
WHERE c.assigned_crm_account_task = %(task)s
ORDER BY c."createdAt"

-- name: task_documents
-- The documents of a task, through their junction.
SELECT d.id, d.document_name, d.document_file_url
FROM "DocumentsToTasks" p JOIN "Documents" d ON d.id = p.document_id
WHERE p.task_id = %(task)s
ORDER BY d."createdAt" DESC

-- name: crm_task_documents
-- The documents of a task of an account, through their junction.
SELECT d.id, d.document_name, d.document_file_url
FROM "DocumentsToCrmAccountsTasks" p JOIN "Documents" d ON d.id = p.document_id
WHERE p.crm_accounts_task_id = %(task)s
ORDER BY d."createdAt" DESC

-- name: todos_of_user
-- Somebody's own list; the id of the user is a text here.
SELECT id, title, description, url, "createdAt"
FROM "TodoList"
WHERE "user" = %(user)s
ORDER BY "createdAt"
