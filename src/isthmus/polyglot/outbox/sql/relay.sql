-- What a relay asks of the outbox and writes down there.

-- name: claim
-- Take the oldest open event of some keys that nobody holds: whoever has its row has all events of the key. Keys are
-- not locked themselves, for who enqueues needs them.
SELECT e.id, e.key_id, k.collection, k.document_id
FROM isthmus.outbox e JOIN isthmus.outbox_key k ON k.id = e.key_id
WHERE e.applied_at IS NULL AND e.parked_at IS NULL
  AND (e.next_attempt_at IS NULL OR e.next_attempt_at <= clock_timestamp())
  -- Follows from the next condition, and is found at once where very many events wait behind a parked one.
  AND e.key_id NOT IN (SELECT p.key_id FROM isthmus.outbox p WHERE p.applied_at IS NULL AND p.parked_at IS NOT NULL)
  AND NOT EXISTS (
      SELECT FROM isthmus.outbox b WHERE b.key_id = e.key_id AND b.applied_at IS NULL AND b.id < e.id
  )
ORDER BY e.id LIMIT %(keys)s
FOR UPDATE OF e SKIP LOCKED

-- name: events_of
-- The next open events of keys that are held, so many of each, up to so many bytes in all; one in any case.
SELECT id, key_id, token, operation, payload, attempts FROM (
    SELECT e.*, row_number() OVER turn AS place, sum(octet_length(e.payload)) OVER turn AS bytes
    FROM unnest(%(keys)s::bigint[]) AS held (key_id) CROSS JOIN LATERAL (
        SELECT o.id, o.key_id, o.token, o.operation, o.payload, o.attempts FROM isthmus.outbox o
        WHERE o.key_id = held.key_id AND o.applied_at IS NULL ORDER BY o.id LIMIT %(each)s
    ) e
    WINDOW turn AS (ORDER BY e.id)
) AS listed
WHERE place = 1 OR bytes <= %(bytes)s
ORDER BY id

-- name: may_ask_homes
-- Whether this role may ask where collections live; null: the database has no switches.
SELECT has_table_privilege(to_regclass('isthmus.switch'), 'SELECT')

-- name: elsewhere
-- Which of some collections live in PostgreSQL.
SELECT collection FROM isthmus.switch WHERE home = 'postgres' AND collection = ANY(%(collections)s)

-- name: knows
-- Whether a mark is of an event of a key.
SELECT 1 FROM isthmus.outbox WHERE id = %(version)s AND key_id = %(key)s AND token = %(token)s::uuid

-- name: settle
-- Events that were applied; a delete is looked at once more when the grace is over.
UPDATE isthmus.outbox SET applied_at = clock_timestamp(), outcome = 'applied', next_attempt_at = NULL,
    fault = NULL, last_error = NULL,
    confirm_at = CASE WHEN operation = 'delete' THEN clock_timestamp() + make_interval(secs => %(grace)s) END
WHERE id = ANY(%(ids)s)

-- name: refuse
-- An event that MongoDB refused: when it is tried again, or that it is parked.
UPDATE isthmus.outbox SET attempts = %(attempts)s, fault = %(fault)s, last_error = %(words)s,
    next_attempt_at = CASE WHEN NOT %(park)s THEN clock_timestamp() + make_interval(secs => %(wait)s) END,
    parked_at = CASE WHEN %(park)s THEN clock_timestamp() END
WHERE id = %(id)s

-- name: claim_confirm
-- Deletes that are to be looked at once more.
SELECT e.id, e.key_id, k.collection, k.document_id, e.token, e.operation, e.payload, e.attempts
FROM isthmus.outbox e JOIN isthmus.outbox_key k ON k.id = e.key_id
WHERE e.confirm_at <= clock_timestamp() ORDER BY e.confirm_at LIMIT %(events)s
FOR UPDATE OF e SKIP LOCKED

-- name: confirmed
-- They were.
UPDATE isthmus.outbox SET confirm_at = NULL WHERE id = ANY(%(ids)s)

-- name: clean_events
-- Forget events that were applied long ago; what somebody skipped stays.
DELETE FROM isthmus.outbox WHERE id IN (
    SELECT id FROM isthmus.outbox
    WHERE applied_at < clock_timestamp() - make_interval(secs => %(keep)s) AND outcome = 'applied' AND confirm_at IS NULL
    ORDER BY applied_at LIMIT %(events)s FOR UPDATE SKIP LOCKED
)

-- name: clean_keys
-- Forget keys that have no events. Who enqueues at this moment holds the key, or is seen by the foreign key.
DELETE FROM isthmus.outbox_key WHERE id IN (
    SELECT k.id FROM isthmus.outbox_key k
    WHERE k.enqueued_at < clock_timestamp() - make_interval(secs => %(keep)s)
      AND NOT EXISTS (SELECT FROM isthmus.outbox e WHERE e.key_id = k.id)
    LIMIT %(keys)s FOR UPDATE SKIP LOCKED
)

-- name: next_due
-- Seconds until an event of today's open ones, or a delete that is to be looked at again, is due; null: none waits.
SELECT extract(epoch FROM min(due) - clock_timestamp())::double precision FROM (
    SELECT min(next_attempt_at) AS due FROM isthmus.outbox WHERE applied_at IS NULL AND parked_at IS NULL
    UNION ALL SELECT min(confirm_at) FROM isthmus.outbox WHERE confirm_at IS NOT NULL
) AS waiting

-- name: left
-- Whether a relay has anything to do yet: open events that no parked one stands before.
SELECT EXISTS (
    SELECT FROM isthmus.outbox e WHERE e.applied_at IS NULL AND NOT EXISTS (
        SELECT FROM isthmus.outbox b WHERE b.key_id = e.key_id AND b.applied_at IS NULL AND b.parked_at IS NOT NULL
    )
), EXISTS (SELECT FROM isthmus.outbox WHERE parked_at IS NOT NULL AND applied_at IS NULL)
