-- name: columns
-- Columns of tables and views. NOT NULL is told here: since PostgreSQL 18 it is a constraint with a name as well.
SELECT 'column', n.nspname::text, c.relname::text, a.attname::text, jsonb_build_object(
    'type', format_type(a.atttypid, a.atttypmod),
    'nullable', NOT a.attnotnull,
    'not null for old rows', CASE WHEN EXISTS (SELECT FROM pg_constraint k WHERE k.conrelid = a.attrelid
        AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum] AND NOT k.convalidated) THEN false END,
    'name of NOT NULL', (SELECT k.conname::text FROM pg_constraint k WHERE k.conrelid = a.attrelid
        AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum]),
    'default', CASE a.attgenerated WHEN '' THEN pg_get_expr(v.adbin, v.adrelid) END,
    'identity', CASE a.attidentity WHEN 'a' THEN 'always' WHEN 'd' THEN 'by default' END,
    'generated', CASE a.attgenerated WHEN '' THEN NULL ELSE pg_get_expr(v.adbin, v.adrelid)
        || CASE a.attgenerated WHEN 's' THEN ' stored' ELSE ' virtual' END END,
    'collation', CASE WHEN a.attcollation <> t.typcollation
        THEN quote_ident(o.nspname) || '.' || quote_ident(l.collname) END,
    'storage', CASE WHEN a.attstorage <> t.typstorage THEN CASE a.attstorage WHEN 'p' THEN 'plain'
        WHEN 'e' THEN 'external' WHEN 'm' THEN 'main' ELSE 'extended' END END,
    'compression', CASE a.attcompression WHEN 'p' THEN 'pglz' WHEN 'l' THEN 'lz4' END,
    'statistics', CASE WHEN a.attstattarget >= 0 THEN a.attstattarget END,
    'options', array_to_string(a.attoptions, ', '),
    'server options', array_to_string(a.attfdwoptions, ', '),
    'comment', col_description(c.oid, a.attnum),
    'position', row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum))
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_type t ON t.oid = a.atttypid
    LEFT JOIN pg_attrdef v ON v.adrelid = a.attrelid AND v.adnum = a.attnum
    LEFT JOIN pg_collation l ON l.oid = a.attcollation LEFT JOIN pg_namespace o ON o.oid = l.collnamespace
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm') AND a.attnum > 0 AND NOT a.attisdropped
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                    AND e.deptype = 'e')

-- name: constraints
-- Constraints of tables but NOT NULL; triggers that are switched off are told of a foreign key that nothing enforces.
SELECT 'constraint', n.nspname::text, c.relname::text, k.conname::text, jsonb_build_object(
    'definition', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''),
    'validated', k.convalidated,
    'switched on', NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgconstraint = k.oid AND g.tgenabled <> 'O'),
    'comment', obj_description(k.oid, 'pg_constraint'))
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE k.contype IN ('p', 'u', 'f', 'c', 'x')
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                    AND e.deptype = 'e')

-- name: indexes
-- Indexes, those behind constraints among them.
SELECT 'index', n.nspname::text, c.relname::text, x.relname::text, jsonb_build_object(
    'definition', pg_get_indexdef(i.indexrelid),
    'valid', i.indisvalid,
    'clustered', CASE WHEN i.indisclustered THEN true END,
    'replica identity', CASE WHEN i.indisreplident THEN true END,
    'statistics', (SELECT string_agg(a.attname || '=' || a.attstattarget, ', ' ORDER BY a.attnum) FROM pg_attribute a
                   WHERE a.attrelid = x.oid AND a.attstattarget >= 0),
    'comment', obj_description(x.oid, 'pg_class'))
FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm')
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                    AND e.deptype = 'e')

-- name: triggers
-- Triggers that users made; those of a foreign key are told with it.
SELECT 'trigger', n.nspname::text, c.relname::text, g.tgname::text, jsonb_build_object(
    'definition', pg_get_triggerdef(g.oid),
    'fires', CASE g.tgenabled WHEN 'O' THEN 'yes' WHEN 'D' THEN 'no, it is disabled' WHEN 'R' THEN 'on a replica'
             ELSE 'always' END,
    'comment', obj_description(g.oid, 'pg_trigger'))
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE NOT g.tgisinternal
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                    AND e.deptype = 'e')

-- name: rules
-- Rules but those that make a view one.
SELECT 'rule', n.nspname::text, c.relname::text, r.rulename::text, jsonb_build_object(
    'definition', pg_get_ruledef(r.oid),
    'fires', CASE r.ev_enabled WHEN 'O' THEN 'yes' WHEN 'D' THEN 'no, it is disabled' WHEN 'R' THEN 'on a replica'
             ELSE 'always' END,
    'comment', obj_description(r.oid, 'pg_rewrite'))
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE r.rulename <> '_RETURN'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                    AND e.deptype = 'e')

-- name: policies
-- Policies of row security.
SELECT 'policy', n.nspname::text, c.relname::text, p.polname::text, jsonb_build_object(
    'command', CASE p.polcmd WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update'
               WHEN 'd' THEN 'delete' ELSE 'all' END,
    'permissive', p.polpermissive,
    'roles', (SELECT string_agg(CASE one WHEN 0 THEN 'public' ELSE quote_ident(pg_get_userbyid(one)) END, ', '
                                ORDER BY pg_get_userbyid(one)) FROM unnest(p.polroles) AS one),
    'using', pg_get_expr(p.polqual, p.polrelid),
    'check', pg_get_expr(p.polwithcheck, p.polrelid),
    'comment', obj_description(p.oid, 'pg_policy'))
FROM pg_policy p JOIN pg_class c ON c.oid = p.polrelid JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                    AND e.deptype = 'e')
