-- name: referring_keys
-- Foreign keys of any table that point at some tables (%(oids)s): what they are, and whether their rows can be looked at.
-- One of a partitioned table stands for those of its parts. `indexed`: some whole index begins with one of its columns.
SELECT k.conname::text AS name, k.conrelid::bigint AS oid, n.nspname::text AS schema, c.relname::text AS "table",
       k.confrelid::bigint AS target_oid, k.confdeltype::text AS on_delete,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY AS u(attnum, n)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.attnum ORDER BY u.n) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY AS u(attnum, n)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.attnum ORDER BY u.n)
         AS target_columns,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_index i
             CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS u(attnum, n)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum
             WHERE i.indrelid = k.conrelid AND i.indisprimary AND u.n <= i.indnkeyatts ORDER BY u.n) AS own_key,
       EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
               AND i.indkey[0] = ANY(k.conkey)) AS indexed,
       pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable,
       pg_catalog.row_security_active(c.oid) AS guarded,
       pg_catalog.pg_get_userbyid(c.relowner)::text AS owner, current_user::text AS role
FROM pg_catalog.pg_constraint k
  JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype = 'f' AND k.conparentid = 0 AND k.confrelid = ANY(%(oids)s::bigint[])
ORDER BY 3, 4, 1

-- name: delete_triggers
-- Triggers of users that fire when rows of some tables are deleted, and are switched on (pg_trigger.tgtype: bit 3).
SELECT n.nspname::text, c.relname::text, array_agg(t.tgname::text ORDER BY t.tgname)
FROM pg_catalog.pg_trigger t
  JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE t.tgrelid = ANY(%(oids)s::bigint[]) AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 8 <> 0
GROUP BY 1, 2 ORDER BY 1, 2

-- name: update_triggers
-- Triggers of users that fire when rows of some tables are changed, and are switched on (pg_trigger.tgtype: bit 4).
SELECT DISTINCT t.tgname::text FROM pg_catalog.pg_trigger t
WHERE t.tgrelid = ANY(%(oids)s::bigint[]) AND NOT t.tgisinternal AND t.tgenabled <> 'D' AND t.tgtype & 16 <> 0
ORDER BY 1

-- name: runs
-- Runs into some schema, with the collections that each carried.
SELECT r.id, r.source_name, r.started_at, r.finished_at,
       coalesce(nullif(ARRAY(SELECT jsonb_array_elements_text(r.tables -> 'only')), '{}'),
                ARRAY(SELECT DISTINCT p.collection FROM isthmus.partition p WHERE p.run_id = r.id))
FROM isthmus.run r WHERE r.target_schema = %(schema)s AND r.tables ? 'delivers' ORDER BY r.id

-- name: run
-- One run, as `Run` takes it.
SELECT id, mapping_fingerprint, mapping_text, source, source_name, target_schema, tables, started_at, stage,
       finished_at, balance, lease_holder, isthmus_version, retries, coalesce(undone, '[]')
FROM isthmus.run WHERE id = %(run)s

-- name: forget_run
-- Forget a run that carried nothing but what is taken back, with its ledgers.
DELETE FROM isthmus.run WHERE id = %(run)s

-- name: narrow_run
-- Say of a run that it carried some collections (%(left)s) and that others were taken back from it.
UPDATE isthmus.run SET tables = jsonb_set(tables, '{only}', to_jsonb(%(left)s::text[])),
    undone = coalesce(undone, '[]') || to_jsonb(%(collections)s::text[]),
    balance = jsonb_set(balance, '{collections}', (balance -> 'collections') - %(collections)s::text[])
WHERE id = %(run)s

-- name: forget_partitions
-- Forget how far a run had read collections that are taken back.
DELETE FROM isthmus.partition WHERE run_id = %(run)s AND collection = ANY(%(collections)s)

-- name: forget_letters
-- Forget dead letters of collections that are taken back: a later copy makes them again.
DELETE FROM isthmus.dead_letter WHERE run_id = %(run)s AND collection = ANY(%(collections)s)

-- name: forget_orphans
-- The same of orphans.
DELETE FROM isthmus.orphan WHERE run_id = %(run)s AND source_collection = ANY(%(collections)s)

-- name: forget_adjustments
-- The same of changed values.
DELETE FROM isthmus.adjustment WHERE run_id = %(run)s AND collection = ANY(%(collections)s)

-- name: forget_conflicts
-- The same of conflicts.
DELETE FROM isthmus.conflict WHERE run_id = %(run)s AND collection = ANY(%(collections)s)

-- name: forget_verifications
-- Forget proofs of a run that has changed.
DELETE FROM isthmus.verification WHERE run_id = %(run)s

-- name: enter_undo
-- Keep what was taken back.
INSERT INTO isthmus.undo (table_schema, collections, mapping_fingerprint, runs, counts, isthmus_version)
VALUES (%(schema)s, %(collections)s, %(fingerprint)s, %(runs)s, %(counts)s, %(version)s) RETURNING id
