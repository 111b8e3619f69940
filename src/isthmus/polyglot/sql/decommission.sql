-- name: runs
-- The runs of a schema in order: which collections each carried (null: all, and it is not complete), whether it is
-- complete, and when its dead letters were last tried again (null where they were not; `infinity` for a try in hand).
SELECT id, coalesce(nullif(tables -> 'only', '[]'),
                    (SELECT jsonb_agg(name) FROM jsonb_object_keys(balance -> 'collections') AS name)),
       stage = 'complete',
       (SELECT max(coalesce(one ->> 'ended_at', 'infinity')::timestamptz)
        FROM jsonb_array_elements(coalesce(to_jsonb(r) -> 'retries', '[]')) AS one)
FROM isthmus.run r WHERE target_schema = %(schema)s ORDER BY id

-- name: letters
-- Dead letters of the runs that carried the collections last, by collection and code.
SELECT d.collection, d.code, count(*) FROM isthmus.dead_letter d
JOIN unnest(%(runs)s::bigint[], %(collections)s::text[]) AS w(run, collection)
  ON w.run = d.run_id AND w.collection = d.collection
GROUP BY 1, 2 ORDER BY 1, 2

-- name: conflicts
-- Rows that were kept although their document says otherwise, and nobody said which goes before, by collection.
SELECT c.collection, count(*) FROM isthmus.conflict c
JOIN unnest(%(runs)s::bigint[], %(collections)s::text[]) AS w(run, collection)
  ON w.run = c.run_id AND w.collection = c.collection
WHERE c.action = 'kept' GROUP BY 1 ORDER BY 1

-- name: knows_identities
-- Whether the state is of a version that finds out which documents are one thing.
SELECT to_regclass('isthmus.identity_conflict') IS NOT NULL

-- name: identity_conflicts
-- What the last plan of an identity could not decide, and nobody answered since.
SELECT name, count(*) FROM isthmus.identity_conflict GROUP BY 1 ORDER BY 1

-- name: create_seen
-- The documents that the source holds now: digests of _id and of content; `restored` is the digest of the content with
-- what a rewrite replaced put back.
CREATE TEMP TABLE decommission_seen (
    collection integer NOT NULL, id bytea NOT NULL, content bytea NOT NULL, restored bytea, source_id bytea)

-- name: create_carried
-- What runs carried of the collections.
CREATE TEMP TABLE decommission_carried AS
SELECT (w.number - 1)::integer AS collection, substring(b.document_digests FROM g * 16 + 1 FOR 8) AS id,
       substring(b.document_digests FROM g * 16 + 9 FOR 8) AS content
FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) WITH ORDINALITY AS w(run, name, number)
JOIN isthmus.batch b ON b.run_id = w.run AND b.collection = w.name, generate_series(0, b.documents - 1) AS g

-- name: create_differing
-- Documents that are not as they were carried; `was` where the same _id was.
CREATE TEMP TABLE decommission_differing AS
SELECT s.collection, s.source_id, s.restored IS NOT NULL AND EXISTS (
           SELECT FROM pg_temp.decommission_carried c
           WHERE c.collection = s.collection AND c.id = s.id AND c.content = s.restored) AS rewritten,
       EXISTS (SELECT FROM pg_temp.decommission_carried c WHERE c.collection = s.collection AND c.id = s.id) AS was
FROM pg_temp.decommission_seen s
WHERE NOT EXISTS (
    SELECT FROM pg_temp.decommission_carried c
    WHERE c.collection = s.collection AND c.id = s.id AND c.content = s.content)

-- name: count_differing
-- By collection: new, changed and rewritten ones.
SELECT collection, count(*) FILTER (WHERE NOT was), count(*) FILTER (WHERE was AND NOT rewritten),
       count(*) FILTER (WHERE was AND rewritten)
FROM pg_temp.decommission_differing GROUP BY 1

-- name: count_gone
-- By collection: documents that were carried and are not there any more.
SELECT c.collection, count(*) FROM pg_temp.decommission_carried c
WHERE NOT EXISTS (SELECT FROM pg_temp.decommission_seen s WHERE s.collection = c.collection AND s.id = c.id) GROUP BY 1

-- name: list_differing
-- The last of each collection in the order of _id, as far as it says when it was made, new ones first.
SELECT collection, source_id, was FROM (
    SELECT d.*, row_number() OVER (PARTITION BY collection ORDER BY was, source_id DESC) AS place_in_line
    FROM pg_temp.decommission_differing d WHERE NOT (was AND rewritten)) AS d
WHERE place_in_line <= %(most)s ORDER BY collection, place_in_line
