-- name: list_letters
-- Dead letters of some runs (with a collection: only its), oldest first, without their bytes.
SELECT id, run_id, collection, source_id_text, location, stage, code, path, message, octet_length(document), created_at
FROM isthmus.dead_letter d
WHERE id > %(after)s AND EXISTS (SELECT FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
              WHERE s.run = d.run_id AND coalesce(s.collection, d.collection) = d.collection)
  AND (%(collection)s::text IS NULL OR collection = %(collection)s) AND (%(code)s::text IS NULL OR code = %(code)s)
ORDER BY id LIMIT %(limit)s

-- name: count_letters
-- How many dead letters a filter meets.
SELECT count(*) FROM isthmus.dead_letter d
WHERE EXISTS (SELECT FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
              WHERE s.run = d.run_id AND coalesce(s.collection, d.collection) = d.collection)
  AND (%(collection)s::text IS NULL OR collection = %(collection)s) AND (%(code)s::text IS NULL OR code = %(code)s)

-- name: letter_numbers
-- Numbers of a run's dead letters behind one of them, in order.
SELECT id FROM isthmus.dead_letter WHERE run_id = %(run)s AND id > %(after)s ORDER BY id LIMIT %(limit)s

-- name: letters_to_log
-- Some dead letters with all causes, without their bytes.
SELECT id, collection, source_id_text, location, stage, octet_length(document), created_at, causes
FROM isthmus.dead_letter WHERE id = ANY (%(numbers)s) ORDER BY id

-- name: letters_of
-- Numbers of the dead letters with some source ids, oldest first.
SELECT id, collection, source_id FROM isthmus.dead_letter
WHERE run_id = %(run)s AND collection = ANY (%(collections)s) AND source_id = ANY (%(source_ids)s) ORDER BY id

-- name: letter_kinds
-- Which collections and codes the dead letters of some runs have.
SELECT DISTINCT collection, code FROM isthmus.dead_letter d
WHERE EXISTS (SELECT FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
              WHERE s.run = d.run_id AND coalesce(s.collection, d.collection) = d.collection)
ORDER BY 1, 2

-- name: read_letter
-- One dead letter with its bytes.
SELECT id, run_id, collection, source_id_text, location, stage, code, path, message, octet_length(document), created_at,
       causes, document
FROM isthmus.dead_letter WHERE id = %(id)s

-- name: list_orphans
-- Orphans of some runs (with a collection: only its), oldest first.
SELECT id, run_id, source_collection, table_name, column_name, row_id, row_position, target_collection, old_id_text,
       action, by_default
FROM isthmus.orphan o
WHERE id > %(after)s AND EXISTS (SELECT FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
              WHERE s.run = o.run_id AND coalesce(s.collection, o.source_collection) = o.source_collection)
  AND (%(table)s::text IS NULL OR table_name = %(table)s)
ORDER BY id LIMIT %(limit)s

-- name: count_orphans
-- How many orphans a filter meets.
SELECT count(*) FROM isthmus.orphan o
WHERE EXISTS (SELECT FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
              WHERE s.run = o.run_id AND coalesce(s.collection, o.source_collection) = o.source_collection)
  AND (%(table)s::text IS NULL OR table_name = %(table)s)

-- name: orphan_counts
-- How many there are of some runs, by run, reference and what was done.
SELECT run_id, table_name, column_name, action, by_default, count(*) FROM isthmus.orphan o
WHERE EXISTS (SELECT FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
              WHERE s.run = o.run_id AND coalesce(s.collection, o.source_collection) = o.source_collection)
GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5

-- name: waiting_references
-- References that wait for collections which no copy has carried yet, of the tables of a schema.
SELECT table_name, column_name, target_table, count(*) FROM isthmus.pending_reference
WHERE table_schema = %(schema)s AND (%(table)s::text IS NULL OR table_name = %(table)s)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: list_waiting
-- References that wait, one by one, oldest first.
SELECT id, table_name, column_name, row_id, row_position, target_table, target_id FROM isthmus.pending_reference
WHERE table_schema = %(schema)s AND (%(table)s::text IS NULL OR table_name = %(table)s) AND id > %(after)s
ORDER BY id LIMIT %(limit)s

-- name: carried_collections
-- Source collections that complete runs of a schema carried and nobody took back; a run that names none carried all.
SELECT DISTINCT name FROM isthmus.run r,
    unnest(coalesce((SELECT array_agg(one) FROM jsonb_array_elements_text(nullif(tables -> 'only', '[]')) AS one),
                    %(all)s::text[])) AS name
WHERE target_schema = %(schema)s AND stage = 'complete' AND NOT coalesce(to_jsonb(r) -> 'undone' ? name, false)

-- name: list_conflicts
-- Rows that say something else than their document, oldest first, with the bytes of documents that were joined.
SELECT id, run_id, collection, table_name, row_id, source_row_id, differing, policy, action, document
FROM isthmus.conflict c
WHERE id > %(after)s AND EXISTS (SELECT FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
              WHERE s.run = c.run_id AND coalesce(s.collection, c.collection) = c.collection)
  AND (%(table)s::text IS NULL OR table_name = %(table)s)
ORDER BY id LIMIT %(limit)s

-- name: count_conflicts
-- How many conflicts a filter meets.
SELECT count(*) FROM isthmus.conflict c
WHERE EXISTS (SELECT FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
              WHERE s.run = c.run_id AND coalesce(s.collection, c.collection) = c.collection)
  AND (%(table)s::text IS NULL OR table_name = %(table)s)

-- name: conflict_counts
-- How many there are of some runs, by run, table and what was done.
SELECT run_id, table_name, action, count(*) FROM isthmus.conflict c
WHERE EXISTS (SELECT FROM unnest(%(runs)s::bigint[], %(collections)s::text[]) AS s(run, collection)
              WHERE s.run = c.run_id AND coalesce(s.collection, c.collection) = c.collection)
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3

-- name: list_adjustments
-- The adjustment ledger of a run, in order, without the original values.
SELECT id, collection, source_id, table_name, column_name, kind
FROM isthmus.adjustment WHERE run_id = %(run)s AND id > %(after)s
ORDER BY id LIMIT %(limit)s

-- name: is_running
-- Whether some isthmus holds the lease lock of this database.
SELECT EXISTS (SELECT FROM pg_catalog.pg_locks
               WHERE locktype = 'advisory' AND granted AND classid = %(class)s::bigint::oid AND objid = %(object)s::bigint::oid
                 AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()))

-- name: lookup_id
-- Source values behind one id, documents before references.
SELECT collection, source_id, origin FROM isthmus.id_map WHERE id = %(id)s ORDER BY origin, collection

-- name: lookup_source
-- What was met with an id in one collection, documents before references.
SELECT source_id, origin FROM isthmus.id_map
WHERE id = %(id)s AND collection = %(collection)s ORDER BY origin, source_id

-- name: knows_ids_elsewhere
-- Whether the state is of a version whose documents can have the id of another row.
SELECT EXISTS (SELECT FROM pg_catalog.pg_attribute
               WHERE attrelid = 'isthmus.id_map'::regclass AND attname = 'derived_id' AND NOT attisdropped)

-- name: ids_elsewhere
-- Documents that have the id of another row, one that was there before or one that they were joined into: by their
-- `_id` as it was written, or by the id that would have been theirs.
SELECT collection, source_id, id, origin FROM isthmus.id_map
WHERE origin IN ('matched', 'merged') AND (%(collection)s::text IS NULL OR collection = %(collection)s)
  AND (key_digest = ANY(SELECT sha256(s) FROM unnest(%(source_ids)s::bytea[]) AS s)
       OR (collection, derived_id) IN (SELECT * FROM unnest(%(collections)s::text[], %(derived_ids)s::text[])))
ORDER BY collection, id, source_id

-- name: mapped_ids
-- Ids of documents that are no ObjectIds, of one collection.
SELECT id, source_id FROM isthmus.id_map WHERE collection = %(collection)s AND origin = 'document'

-- name: missing_rights
-- Whether the current role may use some schemas and read every table in them.
SELECT n.nspname, current_user, has_schema_privilege(n.oid, 'USAGE'),
       NOT EXISTS (SELECT FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p')
                     AND NOT has_table_privilege(c.oid, 'SELECT'))
FROM pg_catalog.pg_namespace n WHERE n.nspname = ANY (%(schemas)s) ORDER BY n.nspname

-- name: last_undo
-- When something was taken back last.
SELECT undone_at AT TIME ZONE 'UTC' FROM isthmus.undo ORDER BY id DESC LIMIT 1
