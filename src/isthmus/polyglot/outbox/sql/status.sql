-- What people ask of the outbox.

-- name: collections
-- Open events by collection: those on their way, those that wait to be tried again, parked ones and those behind them.
WITH parked AS (
    SELECT DISTINCT key_id FROM isthmus.outbox WHERE applied_at IS NULL AND parked_at IS NOT NULL
)
SELECT k.collection,
    count(*) FILTER (WHERE p.key_id IS NULL) AS lag_events,
    coalesce(extract(epoch FROM clock_timestamp() - min(e.created_at) FILTER (WHERE p.key_id IS NULL)), 0)::float8,
    count(*) FILTER (WHERE p.key_id IS NULL AND e.attempts > 0) AS retrying,
    count(*) FILTER (WHERE e.parked_at IS NOT NULL) AS parked,
    count(*) FILTER (WHERE p.key_id IS NOT NULL AND e.parked_at IS NULL) AS behind
FROM isthmus.outbox e JOIN isthmus.outbox_key k ON k.id = e.key_id LEFT JOIN parked p ON p.key_id = e.key_id
WHERE e.applied_at IS NULL GROUP BY k.collection ORDER BY k.collection

-- name: troubled
-- Events that were refused: parked ones, then those that are tried again.
SELECT e.id, k.collection, k.document_id, e.operation, e.attempts, e.fault, e.last_error, e.created_at, e.parked_at,
    e.next_attempt_at,
    (SELECT count(*) FROM isthmus.outbox b WHERE b.key_id = e.key_id AND b.applied_at IS NULL AND b.id > e.id),
    octet_length(e.payload), CASE WHEN octet_length(e.payload) <= %(most)s THEN e.payload END
FROM isthmus.outbox e JOIN isthmus.outbox_key k ON k.id = e.key_id
WHERE e.applied_at IS NULL AND e.attempts > 0
ORDER BY e.parked_at IS NULL, e.id LIMIT %(limit)s

-- name: may_ask_homes
-- Whether this role may ask where collections live; null: the database has no switches.
SELECT has_table_privilege(to_regclass('isthmus.switch'), 'SELECT')

-- name: elsewhere
-- Collections with open events that live in PostgreSQL.
SELECT s.collection FROM isthmus.switch s WHERE s.home = 'postgres' AND EXISTS (
    SELECT FROM isthmus.outbox e JOIN isthmus.outbox_key k ON k.id = e.key_id
    WHERE e.applied_at IS NULL AND k.collection = s.collection
) ORDER BY s.collection

-- name: refused
-- Events that were refused and are open, of those that are named, locked.
SELECT e.id, k.collection, e.parked_at IS NOT NULL
FROM isthmus.outbox e JOIN isthmus.outbox_key k ON k.id = e.key_id
WHERE e.applied_at IS NULL AND e.attempts > 0
  AND (%(numbers)s::bigint[] IS NULL OR e.id = ANY(%(numbers)s))
  AND (%(collection)s::text IS NULL OR k.collection = %(collection)s)
  AND (%(digests)s::bytea[] IS NULL OR k.digest = ANY(%(digests)s))
ORDER BY e.id FOR UPDATE OF e

-- name: retry
-- Try events again at once, as if for the first time.
UPDATE isthmus.outbox SET parked_at = NULL, attempts = 0, next_attempt_at = NULL WHERE id = ANY(%(ids)s)

-- name: skip
-- Leave events out for good, with the reason.
UPDATE isthmus.outbox SET applied_at = clock_timestamp(), outcome = 'skipped', next_attempt_at = NULL,
    reason = %(reason)s, said_by = %(by)s, role = session_user
WHERE id = ANY(%(ids)s)

-- name: wake
-- Wake the relays that listen.
SELECT pg_notify('isthmus_outbox', '')
