-- What the operator's commands ask and write down.

-- name: take
-- Be the only one who moves a collection, for as long as the session lasts.
SELECT pg_try_advisory_lock(%(lock)s, hashtext(%(collection)s))

-- name: enter
-- Make a collection known, as one that lives in MongoDB.
INSERT INTO isthmus.switch (collection) VALUES (%(collection)s) ON CONFLICT (collection) DO NOTHING

-- name: stands
-- Where a collection lives.
SELECT home, generation, frozen_at IS NOT NULL FROM isthmus.switch WHERE collection = %(collection)s

-- name: open_move
-- The move of a collection that has not ended.
SELECT id, goal, carrier, step, announced_at IS NOT NULL FROM isthmus.switch_move
WHERE collection = %(collection)s AND ended_at IS NULL

-- name: carried
-- Whether a table was filled by a move of this collection before.
SELECT EXISTS (
    SELECT FROM isthmus.switch_move WHERE collection = %(collection)s AND carrier = %(carrier)s AND counts <> '{}'
)

-- name: begin
-- Begin a move.
INSERT INTO isthmus.switch_move (collection, goal, carrier, said_by, token)
VALUES (%(collection)s, %(goal)s, %(carrier)s, %(by)s, %(token)s) RETURNING id

-- name: go_on
-- Go on with a move that somebody began.
UPDATE isthmus.switch_move SET carrier = %(carrier)s, said_by = coalesce(%(by)s, said_by), token = %(token)s WHERE id = %(move)s

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

-- name: holders
-- Who stands in the way of the freeze, longest first: sessions in a transaction that locked rows of the table.
SELECT a.pid, coalesce(nullif(a.application_name, ''), a.usename, '?'),
    extract(epoch FROM clock_timestamp() - a.xact_start)::float8
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.relation = 'isthmus.switch'::regclass AND l.mode = 'RowShareLock' AND l.granted
  AND l.pid <> pg_backend_pid() AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
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
-- Deletes of a collection that the outbox would look at once more.
SELECT e.id, e.key_id, k.collection, k.document_id, e.token, e.operation, e.payload, e.attempts
FROM isthmus.outbox e JOIN isthmus.outbox_key k ON k.id = e.key_id
WHERE k.collection = %(collection)s AND e.confirm_at IS NOT NULL ORDER BY e.id

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
-- A move has ended; how long nobody could write.
UPDATE isthmus.switch_move SET step = %(step)s, ended_at = clock_timestamp(), stepped_at = clock_timestamp(),
    frozen_seconds = extract(epoch FROM clock_timestamp() - announced_at)
WHERE id = %(move)s RETURNING frozen_seconds

-- name: fence
-- What stood in the place of a fence.
SELECT before FROM isthmus.switch_fence WHERE collection = %(collection)s

-- name: keep_fence
-- Keep what a fence is put in the place of.
INSERT INTO isthmus.switch_fence (collection, before) VALUES (%(collection)s, %(before)s)
ON CONFLICT (collection) DO UPDATE SET before = excluded.before, raised_at = clock_timestamp()

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
