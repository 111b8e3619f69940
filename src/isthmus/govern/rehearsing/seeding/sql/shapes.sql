-- name: shapes
-- Every plain table with what a row of it must be: columns, constraints, unique indexes, bounds of a partition.
SELECT n.nspname::text, c.relname::text, pg_get_expr(c.relpartbound, c.oid),
    (SELECT jsonb_agg(jsonb_build_object(
        'name', a.attname,
        'type', format_type(b.oid, NULL),
        'form', b.typtype,
        'category', b.typcategory,
        'modifier', CASE WHEN t.oid <> b.oid AND a.atttypmod = -1 THEN t.typtypmod ELSE a.atttypmod END,
        'values', (SELECT jsonb_agg(v.enumlabel ORDER BY v.enumsortorder) FROM pg_enum v
                   WHERE v.enumtypid IN (b.oid, nullif(b.typelem, 0))),
        'element', CASE WHEN b.typcategory = 'A' THEN format_type(b.typelem, NULL) END,
        'subtype', (SELECT format_type(r.rngsubtype, NULL) FROM pg_range r WHERE b.oid IN (r.rngtypid, r.rngmultitypid)),
        'attributes', (SELECT jsonb_agg(format_type(s.atttypid, NULL) ORDER BY s.attnum) FROM pg_attribute s
                       WHERE s.attrelid = nullif(b.typrelid, 0) AND s.attnum > 0 AND NOT s.attisdropped),
        'domain', CASE WHEN t.typtype = 'd' THEN t.typname END,
        'checks', (SELECT jsonb_agg(pg_get_constraintdef(k.oid)) FROM pg_constraint k
                   WHERE k.contypid = t.oid AND k.contype = 'c'),
        'nullable', NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)),
        'numbered', a.attidentity <> '' OR coalesce(pg_get_expr(f.adbin, f.adrelid) ~ '^nextval\(', false),
        'always', a.attidentity = 'a',
        'default', f.oid IS NOT NULL) ORDER BY a.attnum)
     FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        JOIN LATERAL (WITH RECURSIVE base AS (
                SELECT t.oid, t.typbasetype, t.typtype
                UNION ALL SELECT d.oid, d.typbasetype, d.typtype FROM base JOIN pg_type d ON d.oid = base.typbasetype
             ) SELECT p.* FROM base JOIN pg_type p ON p.oid = base.oid WHERE base.typtype <> 'd' LIMIT 1) AS b ON true
        LEFT JOIN pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
     WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''),
    (SELECT jsonb_agg(jsonb_build_object(
        'name', k.conname, 'kind', k.contype, 'definition', pg_get_constraintdef(k.oid),
        'columns', (SELECT jsonb_agg(a.attname ORDER BY x.place) FROM unnest(k.conkey) WITH ORDINALITY x (number, place)
                    JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = x.number),
        'schema', (SELECT m.nspname FROM pg_class r JOIN pg_namespace m ON m.oid = r.relnamespace
                   WHERE r.oid = k.confrelid),
        'table', (SELECT r.relname FROM pg_class r WHERE r.oid = k.confrelid),
        'keys', (SELECT jsonb_agg(a.attname ORDER BY x.place) FROM unnest(k.confkey) WITH ORDINALITY x (number, place)
                 JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = x.number)) ORDER BY k.conname)
     FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype IN ('p', 'u', 'f', 'c', 'x')),
    (SELECT jsonb_agg(DISTINCT a.attname) FROM pg_index i
        JOIN pg_depend e ON e.classid = 'pg_class'::regclass AND e.objid = i.indexrelid
            AND e.refclassid = 'pg_class'::regclass AND e.refobjid = c.oid AND e.refobjsubid > 0
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = e.refobjsubid
     WHERE i.indrelid = c.oid AND i.indisunique),
    (SELECT jsonb_agg(a.attname) FROM pg_inherits h JOIN pg_partitioned_table q ON q.partrelid = h.inhparent
        JOIN pg_attribute o ON o.attrelid = h.inhparent AND o.attnum = ANY (q.partattrs::int2[])
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = o.attname
     WHERE h.inhrelid = c.oid)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND c.relpersistence IN ('p', 'u')
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                    AND e.deptype = 'e')
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"
