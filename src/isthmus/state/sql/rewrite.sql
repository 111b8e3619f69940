-- name: has_tables
-- Whether the state is of a version that knows of rewrites.
SELECT (to_regclass('isthmus.rewrite_log') IS NOT NULL)::integer

-- name: copied_collections
-- Source collections by run: those that it carried, or is to carry (null: all of its mapping), and whether it is complete.
SELECT id, coalesce(nullif(tables -> 'only', '[]'),
                    (SELECT jsonb_agg(name) FROM jsonb_object_keys(balance -> 'collections') AS name)),
       stage = 'complete'
FROM isthmus.run ORDER BY id

-- name: open_rewrites
-- The rewrites of a source that can be gone on with, the oldest first.
SELECT id, mapping_fingerprint, scope FROM isthmus.rewrite WHERE source = %(source)s AND ended_at IS NULL ORDER BY id

-- name: insert_rewrite
-- Begin to rewrite.
INSERT INTO isthmus.rewrite (source, source_name, mapping_fingerprint, scope, run_id, isthmus_version)
VALUES (%(source)s, %(source_name)s, %(fingerprint)s, %(scope)s, %(run)s, %(version)s) RETURNING id

-- name: end_rewrite
-- Nothing more will be done for it.
UPDATE isthmus.rewrite SET ended_at = clock_timestamp(), outcome = %(outcome)s WHERE id = %(rewrite)s AND ended_at IS NULL

-- name: end_open
-- Nothing more will be done for any of a source that can be gone on with, but for one.
UPDATE isthmus.rewrite SET ended_at = clock_timestamp(), outcome = %(outcome)s
WHERE source = %(source)s AND ended_at IS NULL AND id IS DISTINCT FROM %(but)s

-- name: read_parts
-- How far each collection is.
SELECT collection, position, done, documents, bytes, counts FROM isthmus.rewrite_part WHERE rewrite_id = %(rewrite)s

-- name: store_part
-- How far a collection is now.
INSERT INTO isthmus.rewrite_part (rewrite_id, collection, position, done, documents, bytes, counts)
VALUES (%(rewrite)s, %(collection)s, %(position)s, %(done)s, %(documents)s, %(bytes)s, %(counts)s)
ON CONFLICT (rewrite_id, collection) DO UPDATE
SET position = excluded.position, done = excluded.done, documents = excluded.documents, bytes = excluded.bytes,
    counts = excluded.counts

-- name: insert_line
-- What is about to be written, or is refused.
INSERT INTO isthmus.rewrite_log (rewrite_id, collection, source_id, site, path, old_value, new_text, state, reason,
                                 settled_at)
VALUES (%(rewrite)s, %(collection)s, %(source_id)s, %(site)s, %(path)s, %(old_value)s, %(new_text)s, %(state)s,
        %(reason)s, CASE WHEN %(state)s = 'planned' THEN NULL ELSE clock_timestamp() END)
RETURNING id

-- name: settle
-- What became of lines.
UPDATE isthmus.rewrite_log SET state = %(state)s, reason = %(reason)s, settled_at = clock_timestamp()
WHERE id = ANY (%(lines)s)

-- name: forget
-- Lines that came to nothing.
DELETE FROM isthmus.rewrite_log WHERE id = ANY (%(lines)s) AND state IN ('planned', 'refused')

-- name: has_refused
-- Whether anything was refused in documents of a source.
SELECT EXISTS (SELECT FROM isthmus.rewrite_log l JOIN isthmus.rewrite r ON r.id = l.rewrite_id
               WHERE r.source = %(source)s AND l.state = 'refused')::integer

-- name: forget_refused
-- What was refused before at places of documents that are looked at again.
DELETE FROM isthmus.rewrite_log l USING isthmus.rewrite r
WHERE r.id = l.rewrite_id AND r.source = %(source)s AND l.state = 'refused' AND l.collection = %(collection)s
  AND l.site = ANY (%(sites)s)
  AND l.key_digest = ANY (SELECT sha256(s) FROM unnest(%(source_ids)s::bytea[]) AS s)

-- name: planned
-- What was about to be written when an isthmus ended, document by document.
SELECT l.id, l.collection, l.source_id, l.site, l.path, l.old_value, l.new_text, l.rewrite_id
FROM isthmus.rewrite_log l JOIN isthmus.rewrite r ON r.id = l.rewrite_id
WHERE r.source = %(source)s AND l.state = 'planned' ORDER BY l.collection, l.key_digest, l.id

-- name: done_of
-- What this rewrite wrote into some documents.
SELECT source_id, path, new_text FROM isthmus.rewrite_log
WHERE rewrite_id = %(rewrite)s AND state = 'done' AND collection = %(collection)s
  AND key_digest = ANY (SELECT sha256(s) FROM unnest(%(source_ids)s::bytea[]) AS s)

-- name: counts
-- How many values of each place came to what.
SELECT collection, site, state, reason, count(*) FROM isthmus.rewrite_log WHERE rewrite_id = %(rewrite)s
GROUP BY 1, 2, 3, 4

-- name: lines
-- The first lines of each place and outcome.
SELECT collection, source_id, site, path, old_value, new_text, state, reason FROM (
    SELECT l.*, row_number() OVER (PARTITION BY collection, site, state, reason ORDER BY id) AS place
    FROM isthmus.rewrite_log l WHERE rewrite_id = %(rewrite)s AND state = ANY (%(states)s)) AS numbered
WHERE place <= %(limit)s ORDER BY collection, site, state, reason, id

-- name: written_collections
-- The collections with values to be put back, or that hold ids of rows all the same, and how many documents and values.
SELECT l.collection, count(DISTINCT l.key_digest), count(*)
FROM isthmus.rewrite_log l JOIN isthmus.rewrite r ON r.id = l.rewrite_id
WHERE r.source = %(source)s AND (l.state = 'done' OR l.state = 'left' AND l.reason IS NOT NULL) GROUP BY 1 ORDER BY 1

-- name: next_done
-- What was written into the next documents of a collection, the newest line of each document first.
WITH page AS (
    SELECT DISTINCT l.key_digest FROM isthmus.rewrite_log l JOIN isthmus.rewrite r ON r.id = l.rewrite_id
    WHERE r.source = %(source)s AND (l.state = 'done' OR l.state = 'left' AND l.reason IS NOT NULL)
      AND l.collection = %(collection)s AND l.key_digest > %(after)s
    ORDER BY l.key_digest LIMIT %(limit)s)
SELECT l.id, l.collection, l.source_id, l.site, l.path, l.old_value, l.new_text, l.rewrite_id, l.key_digest
FROM isthmus.rewrite_log l JOIN isthmus.rewrite r ON r.id = l.rewrite_id JOIN page p ON p.key_digest = l.key_digest
WHERE r.source = %(source)s AND (l.state = 'done' OR l.state = 'left' AND l.reason IS NOT NULL)
  AND l.collection = %(collection)s
ORDER BY l.key_digest, l.id DESC

-- name: settle_left
-- Others have written something else there. Of texts only ids of rows that Isthmus has carried are kept, which are asked
-- for table by table: what stands in users' documents is never written down. An id waits (reason) until another value
-- stands there, unless somebody said that it may stay (left_id).
WITH RECURSIVE held AS (
    (SELECT table_schema, table_name FROM isthmus.row_state ORDER BY 1, 2 LIMIT 1)
    UNION ALL
    SELECT n.table_schema, n.table_name FROM held h CROSS JOIN LATERAL (
        SELECT table_schema, table_name FROM isthmus.row_state
        WHERE (table_schema, table_name) > (h.table_schema, h.table_name) ORDER BY 1, 2 LIMIT 1) AS n),
found AS (
    SELECT n.line, (
        SELECT f.id FROM held h CROSS JOIN LATERAL (
            SELECT s.id FROM isthmus.row_state s
            WHERE s.table_schema = h.table_schema AND s.table_name = h.table_name AND s.id = n.text LIMIT 1) AS f LIMIT 1
    ) AS id
    FROM unnest(%(lines)s::bigint[], %(texts)s::text[]) AS n(line, text))
UPDATE isthmus.rewrite_log l SET state = 'left', settled_at = clock_timestamp(),
    reason = CASE WHEN NOT %(leave)s THEN f.id END, left_id = CASE WHEN %(leave)s THEN f.id END
FROM found f WHERE l.id = f.line

-- name: carried_rows
-- Of texts that are ids of rows that Isthmus has carried: the table, the collection, and the id of its document.
WITH RECURSIVE held AS (
    (SELECT table_schema, table_name FROM isthmus.row_state ORDER BY 1, 2 LIMIT 1)
    UNION ALL
    SELECT n.table_schema, n.table_name FROM held h CROSS JOIN LATERAL (
        SELECT table_schema, table_name FROM isthmus.row_state
        WHERE (table_schema, table_name) > (h.table_schema, h.table_name) ORDER BY 1, 2 LIMIT 1) AS n)
SELECT n.id, f.table_name, f.collection, f.source_id FROM unnest(%(ids)s::text[]) AS n(id) CROSS JOIN LATERAL (
    SELECT r.* FROM held h CROSS JOIN LATERAL (
        SELECT s.table_name, s.collection, s.source_id FROM isthmus.row_state s
        WHERE s.table_schema = h.table_schema AND s.table_name = h.table_name AND s.id = n.id LIMIT 1) AS r LIMIT 1) AS f

-- name: documents_of
-- Documents that are no ObjectIds, or that were joined into a row of others: those of some ids.
SELECT DISTINCT collection, source_id FROM isthmus.id_map
WHERE id = ANY (%(ids)s) AND origin <> 'reference' ORDER BY 1, 2

-- name: other_ids
-- Where ids of rows stand that others put in the place of what rewrites wrote, and that nobody said may stay.
SELECT r.source_name, l.collection, l.site, count(*) FROM isthmus.rewrite_log l JOIN isthmus.rewrite r ON r.id = l.rewrite_id
WHERE l.state = 'left' AND l.reason IS NOT NULL GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: forget_no_ids
-- What was noted as the id of a row, and is that of none any more.
UPDATE isthmus.rewrite_log l SET reason = NULL FROM isthmus.rewrite r
WHERE r.id = l.rewrite_id AND r.source = %(source)s AND l.state = 'left' AND l.reason IS NOT NULL
  AND NOT EXISTS (SELECT FROM isthmus.row_state s WHERE s.id = l.reason)

-- name: now
-- The instant, by the clock that lines are settled by.
SELECT clock_timestamp()

-- name: settled_without
-- What could not be put back and is done with, where nothing was written since; whether before an instant; and the id
-- that may stay there, which states of before did not have.
SELECT l.id, l.collection, l.source_id, l.site, l.path, l.old_value, l.new_text, l.rewrite_id, l.state,
       l.settled_at < %(began)s, to_jsonb(l) ->> 'left_id'
FROM isthmus.rewrite_log l JOIN isthmus.rewrite r ON r.id = l.rewrite_id
WHERE r.source = %(source)s AND (l.state = 'gone' OR l.state = 'left' AND l.reason IS NULL)
  AND NOT EXISTS (
    SELECT FROM isthmus.rewrite_log n JOIN isthmus.rewrite o ON o.id = n.rewrite_id
    WHERE o.source = r.source AND n.collection = l.collection AND n.key_digest = l.key_digest AND n.path = l.path
      AND n.id > l.id AND n.state NOT IN ('left', 'gone'))
ORDER BY l.collection, l.site, l.id

-- name: done_documents
-- Into how many documents this rewrite wrote.
SELECT count(*) FROM (
    SELECT DISTINCT collection, key_digest FROM isthmus.rewrite_log WHERE rewrite_id = %(rewrite)s AND state = 'done') AS d

-- name: replaced
-- What stands in some documents of a collection since a rewrite put it there, the newest first.
SELECT source_id, path, old_value, new_text FROM isthmus.rewrite_log
WHERE collection = %(collection)s AND state = 'done'
  AND key_digest = ANY (SELECT sha256(one) FROM unnest(%(source_ids)s::bytea[]) AS one)
ORDER BY id DESC

-- name: changed_since
-- Collections in which rewrites, or their undoing, changed documents since an instant.
SELECT DISTINCT collection FROM isthmus.rewrite_log
WHERE (state = 'done' AND planned_at > %(since)s)
   OR (state = 'undone' AND settled_at > %(since)s AND planned_at <= %(since)s)

-- name: changes_since
-- What was changed in some documents of a collection since an instant, by the rewrites first, the newest change first:
-- an undoing is taken back behind them, the oldest value first, for it had put back the newest first.
SELECT source_id, path, old_value, new_text, state = 'done' FROM isthmus.rewrite_log
WHERE collection = %(collection)s
  AND key_digest = ANY (SELECT sha256(one) FROM unnest(%(source_ids)s::bytea[]) AS one)
  AND ((state = 'done' AND planned_at > %(since)s)
       OR (state = 'undone' AND settled_at > %(since)s AND planned_at <= %(since)s))
ORDER BY state = 'done' DESC, CASE WHEN state = 'done' THEN -id ELSE id END

-- name: ever_replaced
-- What rewrites ever put into a document, the newest first: also what was put back since, for a copy may have read it.
SELECT path, old_value, new_text FROM isthmus.rewrite_log
WHERE collection = %(collection)s AND key_digest = sha256(%(source_id)s::bytea) AND state NOT IN ('planned', 'refused')
ORDER BY id DESC

-- name: matched_ids
-- Which rows documents are that have the id of another row: by the id they would have had, or by their `_id`.
SELECT derived_id, source_id, id FROM isthmus.id_map
WHERE origin IN ('matched', 'merged') AND collection = ANY (%(collections)s)
  AND (derived_id = ANY (%(derived_ids)s)
       OR key_digest = ANY (SELECT sha256(s) FROM unnest(%(source_ids)s::bytea[]) AS s))
