-- name: list
-- Every migration of one schema that is known here, in the order of names; also from a state that is older.
SELECT h.name, h.checksum, CASE WHEN to_jsonb(h) ->> 'settled_at' IS NULL THEN h.state ELSE 'settled' END, h.steps, h.steps_done, h.started_at, h.applied_at, h.seconds, h.fault,
       h.isthmus_version, to_jsonb(h) ->> 'on_word_of'
FROM isthmus.schema_history h
WHERE h.schema_title = %(title)s
ORDER BY h.name COLLATE "C"

-- name: list_all
-- What is through of every schema.
SELECT schema_title, name, checksum FROM isthmus.schema_history WHERE state IN ('applied', 'baseline')
ORDER BY schema_title COLLATE "C", name COLLATE "C"

-- name: begin
-- Write down that a migration is tried now; an attempt that failed before is tried anew from where it stands.
INSERT INTO isthmus.schema_history
    (schema_title, name, checksum, state, steps, steps_done, started_at, isthmus_version)
VALUES (%(title)s, %(name)s, %(checksum)s, 'running', %(steps)s, 0, clock_timestamp(), %(version)s)
ON CONFLICT (schema_title, name) DO UPDATE
SET checksum = excluded.checksum, state = 'running', steps = excluded.steps,
    steps_done = CASE WHEN isthmus.schema_history.checksum = excluded.checksum
                      THEN isthmus.schema_history.steps_done ELSE 0 END,
    on_word_of = CASE WHEN isthmus.schema_history.checksum = excluded.checksum
                      THEN isthmus.schema_history.on_word_of END,
    started_at = excluded.started_at, applied_at = NULL, seconds = NULL, fault = NULL, settled_at = NULL,
    isthmus_version = excluded.isthmus_version
RETURNING steps_done

-- name: step
-- Write down how many statements of a migration are through.
UPDATE isthmus.schema_history SET steps_done = %(done)s WHERE schema_title = %(title)s AND name = %(name)s

-- name: applied
-- Write down that a migration is through. What rests on somebody's word goes on doing so.
INSERT INTO isthmus.schema_history
    (schema_title, name, checksum, state, steps, steps_done, started_at, applied_at, seconds, isthmus_version)
VALUES (%(title)s, %(name)s, %(checksum)s, 'applied', %(steps)s, %(steps)s, %(started_at)s, clock_timestamp(),
        extract(epoch FROM clock_timestamp() - %(started_at)s), %(version)s)
ON CONFLICT (schema_title, name) DO UPDATE
SET checksum = excluded.checksum, state = excluded.state, steps = excluded.steps, steps_done = excluded.steps_done,
    applied_at = excluded.applied_at, seconds = excluded.seconds, fault = NULL, settled_at = NULL,
    isthmus_version = excluded.isthmus_version

-- name: failed
-- Write down what the server said. Waits for an attempt that is not ended yet, and leaves one alone that got through.
INSERT INTO isthmus.schema_history
    (schema_title, name, checksum, state, steps, steps_done, started_at, fault, isthmus_version)
VALUES (%(title)s, %(name)s, %(checksum)s, 'failed', %(steps)s, 0, %(started_at)s, %(fault)s, %(version)s)
ON CONFLICT (schema_title, name) DO UPDATE
SET state = 'failed', fault = excluded.fault, seconds = NULL, checksum = excluded.checksum, steps = excluded.steps,
    started_at = excluded.started_at, isthmus_version = excluded.isthmus_version
WHERE isthmus.schema_history.state IN ('running', 'failed')

-- name: told
-- Write down what somebody else says of a migration: that it is through, or how far it is.
INSERT INTO isthmus.schema_history
    (schema_title, name, checksum, state, steps, steps_done, started_at, applied_at, isthmus_version, on_word_of,
     settled_at)
VALUES (%(title)s, %(name)s, %(checksum)s, CASE %(state)s WHEN 'settled' THEN 'running' ELSE %(state)s END, %(steps)s,
        %(done)s, clock_timestamp(), %(applied_at)s, %(version)s, %(whose)s,
        CASE %(state)s WHEN 'settled' THEN clock_timestamp() END)
ON CONFLICT (schema_title, name) DO UPDATE
SET checksum = excluded.checksum, state = excluded.state, steps = excluded.steps, steps_done = excluded.steps_done,
    applied_at = excluded.applied_at, seconds = NULL, fault = NULL, on_word_of = excluded.on_word_of,
    settled_at = excluded.settled_at, isthmus_version = excluded.isthmus_version

-- name: forget
-- Take a migration out of the history.
DELETE FROM isthmus.schema_history WHERE schema_title = %(title)s AND name = %(name)s

-- name: word
-- Keep what a person said of a migration, with the line of the history as it was.
INSERT INTO isthmus.schema_word (schema_title, name, answer, steps_done, why, before, isthmus_version)
VALUES (%(title)s, %(name)s, %(answer)s, %(done)s, %(why)s,
        (SELECT to_jsonb(h) FROM isthmus.schema_history h WHERE h.schema_title = %(title)s AND h.name = %(name)s),
        %(version)s)

-- name: adopt
-- Keep which history of another runner was adopted, and which entries it had.
INSERT INTO isthmus.schema_adoption (schema_title, runner, schema_name, table_name, known, isthmus_version)
VALUES (%(title)s, %(runner)s, %(schema)s, %(table)s, %(known)s, %(version)s)
ON CONFLICT (schema_title) DO UPDATE
SET runner = excluded.runner, schema_name = excluded.schema_name, table_name = excluded.table_name,
    known = excluded.known, adopted_at = excluded.adopted_at, role = excluded.role,
    isthmus_version = excluded.isthmus_version

-- name: adoption
-- The history of another runner that was adopted for a schema.
SELECT runner, schema_name, table_name, known FROM isthmus.schema_adoption WHERE schema_title = %(title)s

-- name: is_deployer_at_work
-- Whether a session executes a migration now; its deployer may have died a moment ago.
SELECT EXISTS (
    SELECT FROM pg_catalog.pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 2
      AND classid = %(class)s::bigint::oid AND objid = %(object)s::bigint::oid
      AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
)
