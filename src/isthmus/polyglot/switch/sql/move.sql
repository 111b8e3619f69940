-- What the operator's commands ask and write down.

-- name: complete
-- Whether the tables are there, as this version has them.
SELECT EXISTS (
    SELECT FROM pg_attribute WHERE attrelid = to_regclass('isthmus.switch_move') AND attname = 'filled_at'
)

-- name: enter
-- Make a collection known, as one that lives in MongoDB.
INSERT INTO isthmus.switch (collection) VALUES (%(collection)s) ON CONFLICT (collection) DO NOTHING

-- name: known
-- Every collection that was ever entered.
SELECT collection FROM isthmus.switch ORDER BY collection

-- name: stands
-- Where a collection lives.
SELECT home, generation, frozen_at IS NOT NULL FROM isthmus.switch WHERE collection = %(collection)s

-- name: open_move
-- The move of a collection that has not ended.
SELECT id, goal, carrier, step, announced_at IS NOT NULL, table_oid, table_name, source_database, source_uuid
FROM isthmus.switch_move WHERE collection = %(collection)s AND ended_at IS NULL

-- name: lives
-- With what the collection came to live where it does.
SELECT m.carrier, m.table_oid, m.table_name, m.source_database, m.source_uuid
FROM isthmus.switch_move m JOIN isthmus.switch s ON s.collection = m.collection AND s.home = m.goal
WHERE m.collection = %(collection)s AND m.step = 'flipped' ORDER BY m.id DESC LIMIT 1

-- name: carried
-- Whether a table was filled by a move of this collection before. What the first version wrote down of it were counts.
SELECT EXISTS (
    SELECT FROM isthmus.switch_move
    WHERE collection = %(collection)s
      AND (filled_at IS NOT NULL AND table_oid = %(table)s OR table_oid IS NULL AND carrier = %(carrier)s AND counts <> '{}')
)

-- name: filled
-- A table was filled by the move of this process; in the transaction that fills it.
UPDATE isthmus.switch_move SET filled_at = clock_timestamp() WHERE collection = %(collection)s AND ended_at IS NULL

-- name: begin
-- Begin a move.
INSERT INTO isthmus.switch_move
    (collection, goal, carrier, said_by, token, table_oid, table_name, source_database, source_uuid)
VALUES (%(collection)s, %(goal)s, %(carrier)s, %(by)s, %(token)s, %(table)s, %(table_name)s, %(database)s, %(uuid)s)
RETURNING id

-- name: go_on
-- Go on with a move that somebody began.
UPDATE isthmus.switch_move SET carrier = %(carrier)s, said_by = coalesce(%(by)s, said_by), token = %(token)s,
    table_oid = coalesce(%(table)s, table_oid), table_name = coalesce(%(table_name)s, table_name),
    source_database = coalesce(%(database)s, source_database), source_uuid = coalesce(%(uuid)s, source_uuid)
WHERE id = %(move)s

-- name: mine
-- Whether a move is still of the process that has this token; holds that until the transaction ends.
SELECT 1 FROM isthmus.switch_move WHERE collection = %(collection)s AND ended_at IS NULL AND token = %(token)s FOR SHARE

-- name: announce
-- From now on new writers are turned away.
UPDATE isthmus.switch_move SET announced_at = coalesce(announced_at, clock_timestamp()), step = 'announced',
    stepped_at = clock_timestamp()
WHERE id = %(move)s

-- name: freeze
-- Wait for the writers that hold the row; whoever holds it later sees that it is frozen.
UPDATE isthmus.switch SET frozen_at = coalesce(frozen_at, clock_timestamp()) WHERE collection = %(collection)s

-- name: blockers
-- Whom a session waits for. Process 0 is a prepared transaction.
SELECT b.pid, coalesce(nullif(a.application_name, ''), a.usename, '?'),
    coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8
FROM unnest(pg_blocking_pids(%(pid)s)) AS b(pid) LEFT JOIN pg_stat_activity a ON a.pid = b.pid
ORDER BY a.xact_start LIMIT 5

-- name: step
-- How far a move is.
UPDATE isthmus.switch_move SET step = %(step)s, stepped_at = clock_timestamp(), counts = counts || %(counts)s::jsonb,
    contents = contents || %(contents)s::jsonb
WHERE id = %(move)s

-- name: contents
-- What tables held when the collection last came to live in PostgreSQL.
SELECT contents FROM isthmus.switch_move
WHERE collection = %(collection)s AND step = 'flipped' AND goal = 'postgres' ORDER BY id DESC LIMIT 1

-- name: open_events
-- Events of a collection in the outbox that are not applied: all, and those that are parked.
SELECT count(*), count(*) FILTER (WHERE e.parked_at IS NOT NULL)
FROM isthmus.outbox e JOIN isthmus.outbox_key k ON k.id = e.key_id
WHERE k.collection = %(collection)s AND e.applied_at IS NULL

-- name: unconfirmed
-- Deletes of a collection that the outbox would look at once more: the next of them.
SELECT e.id, e.key_id, k.collection, k.document_id, e.token, e.operation, e.payload, e.attempts
FROM isthmus.outbox e JOIN isthmus.outbox_key k ON k.id = e.key_id
WHERE k.collection = %(collection)s AND e.confirm_at IS NOT NULL AND e.id > %(after)s ORDER BY e.id LIMIT %(most)s

-- name: flip
-- The collection lives elsewhere from now on, and may be written there.
UPDATE isthmus.switch SET home = %(goal)s, generation = generation + 1, since = clock_timestamp(), frozen_at = NULL,
    said_by = %(by)s
WHERE collection = %(collection)s AND home <> %(goal)s AND frozen_at IS NOT NULL
RETURNING generation

-- name: thaw
-- It may be written again where it was. A row that is not frozen is left to the writers who hold it.
UPDATE isthmus.switch SET frozen_at = NULL WHERE collection = %(collection)s AND frozen_at IS NOT NULL

-- name: end
-- A move has ended; how long nobody could write. One that has ended stays what it came to.
UPDATE isthmus.switch_move SET step = %(step)s, ended_at = clock_timestamp(), stepped_at = clock_timestamp(),
    frozen_seconds = extract(epoch FROM clock_timestamp() - announced_at)
WHERE id = %(move)s AND ended_at IS NULL RETURNING frozen_seconds

-- name: fence
-- What stood in the place of a fence, and where it stands.
SELECT before, source_database, source_uuid FROM isthmus.switch_fence WHERE collection = %(collection)s

-- name: keep_fence
-- Keep what a fence is put in the place of.
INSERT INTO isthmus.switch_fence (collection, before, source_database, source_uuid)
VALUES (%(collection)s, %(before)s, %(database)s, %(uuid)s)
ON CONFLICT (collection) DO UPDATE SET before = excluded.before, raised_at = clock_timestamp(),
    source_database = excluded.source_database, source_uuid = excluded.source_uuid

-- name: forget_fence
-- There is no fence any more.
DELETE FROM isthmus.switch_fence WHERE collection = %(collection)s

-- name: status
-- Every collection, its move that is under way or else its last one, and whether a process is at work on it.
SELECT s.collection, s.home, s.generation, s.since, s.said_by, s.frozen_at,
    extract(epoch FROM clock_timestamp() - coalesce(m.announced_at, s.frozen_at))::float8,
    m.goal, m.step, m.carrier, m.began_at, m.stepped_at, m.announced_at, m.ended_at, m.frozen_seconds, m.counts, m.said_by,
    EXISTS (
        SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = %(lock)s::bigint::oid AND l.objsubid = 2
          AND l.objid = (hashtext(s.collection)::bigint & 4294967295)::oid AND l.granted
          AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
    ),
    EXISTS (SELECT FROM isthmus.switch_fence f WHERE f.collection = s.collection),
    (SELECT count(*) FROM isthmus.outbox e JOIN isthmus.outbox_key k ON k.id = e.key_id
     WHERE k.collection = s.collection AND e.applied_at IS NULL)
FROM isthmus.switch s LEFT JOIN LATERAL (
    SELECT * FROM isthmus.switch_move m WHERE m.collection = s.collection ORDER BY m.id DESC LIMIT 1
) m ON true
WHERE %(collections)s::text[] IS NULL OR s.collection = ANY(%(collections)s)
ORDER BY s.collection
