-- name: insert_dead_letter
-- Keep a document that could not be carried, with its bytes.
INSERT INTO isthmus.dead_letter (run_id, collection, source_id, source_id_text, location, stage, code, path, message,
                                 causes, document, document_digest)
VALUES (%(run)s, %(collection)s, %(source_id)s, %(source_id_text)s, %(location)s, %(stage)s, %(code)s, %(path)s,
        %(message)s, %(causes)s, %(document)s, %(document_digest)s)

-- name: insert_adjustment
-- List a changed value whose original cannot be recomputed.
INSERT INTO isthmus.adjustment (run_id, collection, source_id, table_name, column_name, row_position, kind, original)
VALUES (%(run)s, %(collection)s, %(source_id)s, %(table)s, %(column)s, %(position)s, %(kind)s, %(original)s)

-- name: insert_ids
-- Remember the ids of values that are no ObjectIds; a document outranks a reference to it, which may have been made with
-- the scheme of another entry of its collection.
INSERT INTO isthmus.id_map AS m (collection, source_id, id, origin)
SELECT * FROM unnest(%(collections)s::text[], %(source_ids)s::bytea[], %(ids)s::text[], %(origins)s::text[])
ON CONFLICT (collection, key_digest) DO UPDATE SET origin = 'document', id = EXCLUDED.id
WHERE m.origin = 'reference' AND EXCLUDED.origin = 'document'

-- name: ids_by_id
-- The source values behind ids, documents before references.
SELECT DISTINCT ON (id) id, source_id FROM isthmus.id_map
WHERE collection = %(collection)s AND id = ANY(%(ids)s) ORDER BY id, origin, source_id

-- name: ids_by_derived_id
-- The same where documents may have the id of another row: by the ids that were derived from them.
SELECT DISTINCT ON (derived) derived, source_id
FROM (SELECT coalesce(derived_id, id) AS derived, source_id, origin FROM isthmus.id_map
      WHERE collection = %(collection)s AND (derived_id IS NULL AND id = ANY(%(ids)s) OR derived_id = ANY(%(ids)s))) AS m
ORDER BY derived, origin, source_id

-- name: forget_adjustments
-- A document that became a dead letter in finish takes its adjustments along.
DELETE FROM isthmus.adjustment WHERE run_id = %(run)s AND collection = %(collection)s AND source_id = ANY(%(source_ids)s)

-- name: last_rowless_letter
-- The newest letter of a document that the core accepts and that has no rows although its id may be in the target.
SELECT max(id) FROM isthmus.dead_letter
WHERE run_id = %(run)s AND collection = %(collection)s AND (stage = 'load' OR code = 'duplicate-id')

-- name: rowless_letters
-- How many such letters there are of documents with some digests, up to a letter; by the SHA-256 of the document.
SELECT sha256(document), count(*) FROM isthmus.dead_letter
WHERE run_id = %(run)s AND collection = %(collection)s AND (stage = 'load' OR code = 'duplicate-id')
  AND document_digest = ANY(%(digests)s) AND id <= %(last)s
GROUP BY 1

-- name: create_carried_documents
-- What the run carried of a collection, document by document: digests of `_id` and of content.
CREATE TEMP TABLE carried_document AS
SELECT substring(document_digests FROM g * 16 + 1 FOR 8) AS id, substring(document_digests FROM g * 16 + 9 FOR 8) AS content
FROM isthmus.batch, generate_series(0, documents - 1) AS g WHERE run_id = %(run)s AND collection = %(collection)s

-- name: known_documents
-- The contents that the run carried under some digests of `_id`.
SELECT id, content FROM pg_temp.carried_document WHERE id = ANY(%(ids)s)

-- name: lettered_ids
-- Which of some documents are dead letters.
SELECT DISTINCT source_id FROM isthmus.dead_letter
WHERE run_id = %(run)s AND collection = %(collection)s AND source_id = ANY(%(source_ids)s)

-- name: count_adjustments
-- How many changed values are listed of some documents.
SELECT table_name, column_name, kind, count(*) FROM isthmus.adjustment
WHERE run_id = %(run)s AND collection = %(collection)s AND source_id = ANY(%(source_ids)s) GROUP BY 1, 2, 3

-- name: count_undone_references
-- How many references of some rows were set to NULL or left out, so that the row no longer holds them.
SELECT count(*) FROM isthmus.orphan
WHERE run_id = %(run)s AND source_collection = %(collection)s AND table_name = %(table)s AND column_name = %(column)s
  AND row_id = ANY(%(ids)s) AND action IN ('null', 'drop')

-- name: letter_counts
-- Dead letters by collection, stage and code.
SELECT collection, stage, code, count(*) FROM isthmus.dead_letter WHERE run_id = %(run)s GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: orphan_counts
-- Orphans by reference and action.
SELECT table_name, column_name, action, by_default, count(*) FROM isthmus.orphan WHERE run_id = %(run)s
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4

-- name: orphans_without_old_id
-- Ledger rows of one reference whose old id is still to be filled in.
SELECT id, target_collection, target_id FROM isthmus.orphan
WHERE run_id = %(run)s AND table_name = %(table)s AND column_name = %(column)s AND old_id_text IS NULL AND id > %(after)s
ORDER BY id LIMIT %(limit)s

-- name: fill_old_ids
-- Write old ids into the ledger.
UPDATE isthmus.orphan o SET old_id = d.old_id, old_id_text = d.old_id_text
FROM unnest(%(ids)s::bigint[], %(old_ids)s::bytea[], %(texts)s::text[]) AS d(id, old_id, old_id_text) WHERE o.id = d.id

-- name: forget_orphans
-- A document that became a dead letter takes its nulled and dropped references along.
DELETE FROM isthmus.orphan
WHERE run_id = %(run)s AND source_collection = %(collection)s AND table_name = ANY(%(tables)s)
  AND row_id = ANY(%(ids)s) AND action <> 'dead_letter'
