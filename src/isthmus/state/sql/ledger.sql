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
-- Remember the ids of values that are no ObjectIds; a document outranks a reference to it.
INSERT INTO isthmus.id_map AS m (collection, source_id, id, origin)
SELECT * FROM unnest(%(collections)s::text[], %(source_ids)s::bytea[], %(ids)s::text[], %(origins)s::text[])
ON CONFLICT (collection, key_digest) DO UPDATE SET origin = 'document'
WHERE m.origin = 'reference' AND EXCLUDED.origin = 'document'

-- name: ids_by_id
-- The source values behind ids, documents before references.
SELECT DISTINCT ON (id) id, source_id FROM isthmus.id_map
WHERE collection = %(collection)s AND id = ANY(%(ids)s) ORDER BY id, origin, source_id

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
