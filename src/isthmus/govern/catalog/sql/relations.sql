-- name: schemas
-- Schemas of users, `public` among them.
SELECT 'schema', '', n.nspname::text, '', jsonb_build_object(
    'owner', CASE WHEN n.nspowner <> d.datdba AND pg_get_userbyid(n.nspowner) <> 'pg_database_owner'
             THEN pg_get_userbyid(n.nspowner)::text END,
    'comment', CASE WHEN n.nspname <> 'public' OR obj_description(n.oid, 'pg_namespace') <> 'standard public schema'
               THEN obj_description(n.oid, 'pg_namespace') END)
FROM pg_namespace n JOIN pg_database d ON d.datname = current_database()
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_namespace'::regclass AND e.objid = n.oid
                    AND e.deptype = 'e')

-- name: tables
-- Tables, partitioned ones and partitions among them, and foreign tables.
SELECT CASE c.relkind WHEN 'f' THEN 'foreign table' ELSE 'table' END, n.nspname::text, c.relname::text, '',
    jsonb_build_object(
    'persistence', CASE c.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'permanent' END,
    'partition key', pg_get_partkeydef(c.oid),
    'bound', pg_get_expr(c.relpartbound, c.oid),
    'inherits', (SELECT string_agg(i.inhparent::regclass::text, ', ' ORDER BY i.inhseqno)
                 FROM pg_inherits i WHERE i.inhrelid = c.oid),
    'of type', CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END,
    'row security', CASE WHEN c.relrowsecurity AND c.relforcerowsecurity THEN 'on, for its owner too'
                    WHEN c.relrowsecurity THEN 'on'
                    WHEN c.relforcerowsecurity THEN 'off, forced for its owner' ELSE 'off' END,
    'options', (SELECT string_agg(one, ', ' ORDER BY one COLLATE "C") FROM unnest(
                c.reloptions || ARRAY(SELECT 'toast.' || o FROM unnest(t.reloptions) o)) AS one),
    'access method', CASE WHEN m.amname <> 'heap' THEN m.amname::text END,
    'replica identity', CASE c.relreplident WHEN 'f' THEN 'full' WHEN 'n' THEN 'nothing' WHEN 'i' THEN 'index'
                        ELSE 'default' END,
    'server', f.srvname::text,
    'server options', array_to_string(ft.ftoptions, ', '),
    'owner', CASE WHEN c.relowner <> d.datdba THEN pg_get_userbyid(c.relowner)::text END,
    'comment', obj_description(c.oid, 'pg_class'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_database d ON d.datname = current_database()
    LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
    LEFT JOIN pg_am m ON m.oid = c.relam
    LEFT JOIN pg_foreign_table ft ON ft.ftrelid = c.oid
    LEFT JOIN pg_foreign_server f ON f.oid = ft.ftserver
WHERE c.relkind IN ('r', 'p', 'f')
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                    AND e.deptype = 'e')

-- name: views
-- Views and materialized views.
SELECT CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialized view' END, n.nspname::text, c.relname::text, '',
    jsonb_build_object(
    'definition', regexp_replace(pg_get_viewdef(c.oid), '^\s+|;$', '', 'g'),
    'options', (SELECT string_agg(one, ', ' ORDER BY one COLLATE "C") FROM unnest(c.reloptions) AS one),
    'filled', CASE c.relkind WHEN 'm' THEN c.relispopulated END,
    'owner', CASE WHEN c.relowner <> d.datdba THEN pg_get_userbyid(c.relowner)::text END,
    'comment', obj_description(c.oid, 'pg_class'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_database d ON d.datname = current_database()
WHERE c.relkind IN ('v', 'm')
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                    AND e.deptype = 'e')

-- name: sequences
-- Sequences, those of identity columns among them; not how far they are.
SELECT 'sequence', n.nspname::text, c.relname::text, '', jsonb_build_object(
    'type', format_type(s.seqtypid, NULL), 'start', s.seqstart, 'increment', s.seqincrement, 'least', s.seqmin,
    'most', s.seqmax, 'cache', s.seqcache, 'cycles', s.seqcycle,
    'persistence', CASE c.relpersistence WHEN 'u' THEN 'unlogged' ELSE 'permanent' END,
    'owned by', (SELECT o.refobjid::regclass::text || '.' || quote_ident(a.attname)
                 FROM pg_depend o JOIN pg_attribute a ON a.attrelid = o.refobjid AND a.attnum = o.refobjsubid
                 WHERE o.classid = 'pg_class'::regclass AND o.objid = c.oid AND o.refclassid = 'pg_class'::regclass
                    AND o.deptype IN ('a', 'i')),
    'owner', CASE WHEN c.relowner <> d.datdba THEN pg_get_userbyid(c.relowner)::text END,
    'comment', obj_description(c.oid, 'pg_class'))
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_database d ON d.datname = current_database()
    JOIN pg_sequence s ON s.seqrelid = c.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid
                    AND e.deptype = 'e')
