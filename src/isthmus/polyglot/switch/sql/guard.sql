-- What applications ask inside their own transactions, each time they write or read.

-- name: hold
-- Hold the row of a collection that may be written, until the transaction ends. No row: it is not known, or about to be
-- frozen: who writes then is turned away before the lock, so that those who are writing cannot be followed for ever.
SELECT s.home, s.generation, s.frozen_at, pg_current_xact_id()::text FROM isthmus.switch s
WHERE s.collection = %(collection)s AND NOT EXISTS (
    SELECT FROM isthmus.switch_move m
    WHERE m.collection = s.collection AND m.ended_at IS NULL AND m.announced_at IS NOT NULL
)
FOR SHARE OF s

-- name: look
-- Where a collection lives, and since when it is frozen, or about to be.
SELECT s.home, s.generation, coalesce(s.frozen_at, (
    SELECT m.announced_at FROM isthmus.switch_move m WHERE m.collection = s.collection AND m.ended_at IS NULL
)) FROM isthmus.switch s WHERE s.collection = %(collection)s

-- name: enter
-- Make a collection known, as one that lives where it always did.
INSERT INTO isthmus.switch (collection) VALUES (%(collection)s) ON CONFLICT (collection) DO NOTHING

-- name: still
-- Which transaction this is; null: one that has written and locked nothing, so another than the one that held.
SELECT pg_current_xact_id_if_assigned()::text
