-- name: read_run
-- A run of this target, or (null) the newest; a state that an older version wrote has no retries, and nothing undone.
SELECT id, mapping_fingerprint, mapping_text, source, source_name, target_schema, tables, started_at, stage,
       finished_at, balance, lease_holder, isthmus_version, coalesce(to_jsonb(r) -> 'retries', '[]'),
       coalesce(nullif(to_jsonb(r) -> 'undone', 'null'), '[]')
FROM isthmus.run r WHERE %(run)s::bigint IS NULL OR id = %(run)s ORDER BY id DESC LIMIT 1

-- name: numbers
-- The numbers of all runs, in order.
SELECT id FROM isthmus.run ORDER BY id

-- name: schemas
-- The schemas that runs carried into.
SELECT DISTINCT target_schema FROM isthmus.run ORDER BY 1

-- name: insert_run
-- Open a run, in the same transaction as its tables.
INSERT INTO isthmus.run (mapping_fingerprint, mapping_text, source, source_name, target_schema, tables, started_at,
                         stage, lease_token, lease_holder, lease_at, isthmus_version)
VALUES (%(fingerprint)s, %(mapping_text)s, %(source)s, %(source_name)s, %(target_schema)s, %(tables)s, %(started_at)s,
        'copying', %(token)s, %(holder)s, clock_timestamp(), %(version)s)
RETURNING id

-- name: delete_runs
-- Forget every run and its ledgers (--fresh); the id key stays, so ids stay the same.
DELETE FROM isthmus.run

-- name: delete_id_map
-- Forget the ids of source values (--fresh).
DELETE FROM isthmus.id_map

-- name: take_lease
-- Make this process the one that may write to the run.
UPDATE isthmus.run SET lease_token = %(token)s, lease_holder = %(holder)s, lease_at = clock_timestamp() WHERE id = %(run)s

-- name: lease_holder
-- Who holds the lock of the lease now: what its connection calls itself.
SELECT coalesce(nullif(a.application_name, ''), 'server process ' || l.pid)
FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %(class)s::bigint::oid AND l.objid = %(object)s::bigint::oid
  AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())

-- name: check_lease
-- Lock the run row against a change of holder and tell whether this process is still the holder.
SELECT lease_token = %(token)s FROM isthmus.run WHERE id = %(run)s FOR SHARE

-- name: set_stage
-- Move the run to its next stage.
UPDATE isthmus.run SET stage = %(stage)s WHERE id = %(run)s

-- name: set_moved
-- Keep how the source had moved when the load ended.
UPDATE isthmus.run SET moved = %(moved)s WHERE id = %(run)s

-- name: read_moved
-- How the source had moved; a state that an older version wrote has no such column.
SELECT to_jsonb(r) -> 'moved' FROM isthmus.run r WHERE id = %(run)s

-- name: complete_run
-- Close the run with its books.
UPDATE isthmus.run SET stage = 'complete', finished_at = clock_timestamp(), balance = %(balance)s WHERE id = %(run)s

-- name: insert_key
-- Keep a new id key unless there is one.
INSERT INTO isthmus.id_key (key) VALUES (%(key)s) ON CONFLICT DO NOTHING

-- name: read_key
-- The id key of this target.
SELECT key FROM isthmus.id_key

-- name: is_told
-- Whether the books of a complete run were printed.
SELECT told_at IS NOT NULL FROM isthmus.run WHERE id = %(run)s

-- name: mark_told
-- Note that the books of a complete run were printed.
UPDATE isthmus.run SET told_at = clock_timestamp() WHERE id = %(run)s AND stage = 'complete' AND told_at IS NULL

-- name: end_marked
-- End a session of this isthmus whose connection is lost, which the server still believes in.
SELECT pg_terminate_backend(pid) FROM pg_catalog.pg_locks
WHERE locktype = 'advisory' AND granted AND classid = %(class)s::bigint::oid AND objid = %(object)s::bigint::oid
  AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database())
