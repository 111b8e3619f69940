-- What applications execute inside their own transactions. Parameters as psycopg takes them; no colons elsewhere.

-- name: enqueue
-- Add one event. Takes the lock of its key, or waits for who has it, before the event's number is drawn.
WITH held AS (
    INSERT INTO isthmus.outbox_key AS k (digest, collection, document_id)
    VALUES (%(digest)s, %(collection)s, %(document_id)s)
    ON CONFLICT (digest) DO UPDATE SET enqueued_at = clock_timestamp()
    RETURNING k.id
)
INSERT INTO isthmus.outbox (key_id, operation, payload)
SELECT held.id, %(operation)s, %(payload)s FROM held
RETURNING id

-- name: wake
-- Wake the relays that listen, when the transaction commits; however often it is said, each hears it once.
SELECT pg_notify('isthmus_outbox', '')
