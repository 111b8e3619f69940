-- name: exists
-- Whether the state is of a version that keeps what people have looked at.
SELECT to_regclass('isthmus.letter_about') IS NOT NULL

-- name: last_copies
-- The last run of each collection into a schema; one that is not complete goes before an earlier one that is. A
-- collection that was empty has no partition, and is carried all the same.
SELECT max(o.run), o.collection FROM (
    SELECT p.run_id, p.collection FROM isthmus.partition p
    UNION ALL
    SELECT r.id, jsonb_array_elements_text(r.tables -> 'only') FROM isthmus.run r
    UNION ALL
    SELECT r.id, jsonb_object_keys(r.balance -> 'collections') FROM isthmus.run r
    WHERE coalesce(r.tables -> 'only', '[]') = '[]'
) AS o(run, collection) JOIN isthmus.run r ON r.id = o.run
WHERE r.target_schema = %(schema)s GROUP BY o.collection ORDER BY 1, 2

-- name: rewritten_letters
-- Dead letters of some runs into whose documents a rewrite ever put ids of rows.
SELECT d.id, d.collection, d.document
FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
  JOIN isthmus.dead_letter d ON d.run_id = s.run AND (s.collection IS NULL OR d.collection = s.collection)
WHERE EXISTS (
    SELECT FROM isthmus.rewrite_log l
    WHERE l.collection = d.collection AND l.key_digest = sha256(d.source_id) AND l.state NOT IN ('planned', 'refused'))

-- name: rewritten_conflicts
-- Joined documents of some runs, with the numbers of their conflicts, where a rewrite ever put ids of rows into documents
-- of the same collection.
SELECT c.id, c.collection, c.document
FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
  JOIN isthmus.conflict c ON c.run_id = s.run AND (s.collection IS NULL OR c.collection = s.collection)
WHERE c.document IS NOT NULL AND EXISTS (
    SELECT FROM isthmus.rewrite_log l WHERE l.collection = c.collection AND l.state NOT IN ('planned', 'refused'))

-- name: letters
-- Dead letters of some runs (with a collection: only its), what each is about, and the word that holds of it. Of those
-- that a rewrite changed it is about the document as it was before: made as isthmus.letter_about makes it of all others.
SELECT d.id, d.run_id, d.collection, d.code, d.stage, o.about, w.reason, w.said_by, w.role, w.acknowledged_at
FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
  JOIN isthmus.dead_letter d ON d.run_id = s.run AND (s.collection IS NULL OR d.collection = s.collection)
  JOIN isthmus.run r ON r.id = d.run_id
  JOIN isthmus.letter_about a ON a.letter_id = d.id
  LEFT JOIN unnest(%(rewritten)s::bigint[], %(digests)s::bytea[]) AS b(letter, digest) ON b.letter = d.id
  CROSS JOIN LATERAL (SELECT CASE WHEN b.letter IS NULL THEN a.about ELSE sha256(convert_to(jsonb_build_array(
      'letter', r.target_schema, d.collection, encode(sha256(d.source_id), 'hex'), encode(b.digest, 'hex'), (
          SELECT jsonb_agg(DISTINCT jsonb_build_array(c -> 'code', c -> 'path')) FROM jsonb_array_elements(d.causes) AS c
      ))::text, 'UTF8')) END AS about) AS o
  LEFT JOIN isthmus.acknowledgement w ON w.about = o.about AND w.withdrawn_at IS NULL
WHERE (%(numbers)s::bigint[] IS NULL OR d.id = ANY(%(numbers)s))
  AND (%(collection)s::text IS NULL OR d.collection = %(collection)s) AND (%(place)s::text IS NULL OR d.code = %(place)s)
  AND (%(open)s OR w.id IS NOT NULL)
ORDER BY d.id

-- name: conflicts
-- The same of rows that say something else than their document; of those that a rewrite changed as
-- isthmus.conflict_about makes it of all others.
SELECT c.id, c.run_id, c.collection, c.table_name, c.action, o.about, w.reason, w.said_by, w.role, w.acknowledged_at
FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
  JOIN isthmus.conflict c ON c.run_id = s.run AND (s.collection IS NULL OR c.collection = s.collection)
  JOIN isthmus.run r ON r.id = c.run_id
  JOIN isthmus.conflict_about a ON a.conflict_id = c.id
  LEFT JOIN unnest(%(rewritten)s::bigint[], %(digests)s::bytea[]) AS b(conflict, digest) ON b.conflict = c.id
  CROSS JOIN LATERAL (SELECT CASE WHEN b.conflict IS NULL THEN a.about ELSE sha256(convert_to(jsonb_build_array(
      'conflict', r.target_schema, c.collection, c.table_name, c.row_id, c.source_row_id, c.action, c.differing,
      encode(c.said_digest, 'hex'), encode(b.digest, 'hex'))::text, 'UTF8')) END AS about) AS o
  LEFT JOIN isthmus.acknowledgement w ON w.about = o.about AND w.withdrawn_at IS NULL
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
