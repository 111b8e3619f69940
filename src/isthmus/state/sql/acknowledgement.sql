-- name: exists
-- Whether the state is of a version that keeps what people have looked at.
SELECT to_regclass('isthmus.letter_about') IS NOT NULL

-- name: last_copies
-- The last run of each collection into a schema; one that is not complete goes before an earlier one that is.
SELECT max(p.run_id), p.collection FROM isthmus.partition p JOIN isthmus.run r ON r.id = p.run_id
WHERE r.target_schema = %(schema)s GROUP BY p.collection ORDER BY 1, 2

-- name: letters
-- Dead letters of some runs (with a collection: only its), what each is about, and the word that holds of it.
SELECT d.id, d.run_id, d.collection, d.code, d.stage, a.about, w.reason, w.said_by, w.role, w.acknowledged_at
FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
  JOIN isthmus.dead_letter d ON d.run_id = s.run AND (s.collection IS NULL OR d.collection = s.collection)
  JOIN isthmus.letter_about a ON a.letter_id = d.id
  LEFT JOIN isthmus.acknowledgement w ON w.about = a.about AND w.withdrawn_at IS NULL
WHERE (%(numbers)s::bigint[] IS NULL OR d.id = ANY(%(numbers)s))
  AND (%(collection)s::text IS NULL OR d.collection = %(collection)s) AND (%(place)s::text IS NULL OR d.code = %(place)s)
  AND (%(open)s OR w.id IS NOT NULL)
ORDER BY d.id

-- name: conflicts
-- The same of rows that say something else than their document.
SELECT c.id, c.run_id, c.collection, c.table_name, c.action, a.about, w.reason, w.said_by, w.role, w.acknowledged_at
FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
  JOIN isthmus.conflict c ON c.run_id = s.run AND (s.collection IS NULL OR c.collection = s.collection)
  JOIN isthmus.conflict_about a ON a.conflict_id = c.id
  LEFT JOIN isthmus.acknowledgement w ON w.about = a.about AND w.withdrawn_at IS NULL
WHERE (%(numbers)s::bigint[] IS NULL OR c.id = ANY(%(numbers)s))
  AND (%(collection)s::text IS NULL OR c.collection = %(collection)s)
  AND (%(place)s::text IS NULL OR c.table_name = %(place)s)
  AND (%(open)s OR w.id IS NOT NULL)
ORDER BY c.id

-- name: withdraw
-- Let words no longer hold; with a reason only those that say something else than it, or of somebody else.
UPDATE isthmus.acknowledgement
SET withdrawn_at = clock_timestamp(), withdrawn_by = %(by)s, withdrawn_role = session_user
WHERE about = ANY(%(abouts)s::bytea[]) AND withdrawn_at IS NULL
  AND (%(reason)s::text IS NULL OR reason <> %(reason)s OR said_by IS DISTINCT FROM %(by)s)

-- name: withdraw_collections
-- Let no word about some collections hold any longer.
UPDATE isthmus.acknowledgement
SET withdrawn_at = clock_timestamp(), withdrawn_by = %(by)s, withdrawn_role = session_user
WHERE kind = %(kind)s AND collection = ANY(%(collections)s) AND withdrawn_at IS NULL

-- name: acknowledge
-- Write down that somebody looked at something; what they said already stays as it is.
INSERT INTO isthmus.acknowledgement (kind, about, collection, place, reason, said_by, isthmus_version)
SELECT %(kind)s, o.about, o.collection, o.place, %(reason)s, %(by)s, %(version)s
FROM unnest(%(abouts)s::bytea[], %(collections)s::text[], %(places)s::text[]) AS o(about, collection, place)
ON CONFLICT (about) WHERE withdrawn_at IS NULL DO NOTHING
