-- name: grants
-- Rights that differ from what the owner and everybody have of a new object: role, rights that it may pass on with a
-- star; `not` before those that were taken away.
WITH held (kind, schema, name, part, oid, classid, acl, usual) AS (
    SELECT CASE c.relkind WHEN 'S' THEN 'sequence' WHEN 'v' THEN 'view' WHEN 'm' THEN 'materialized view'
           WHEN 'f' THEN 'foreign table' ELSE 'table' END, n.nspname::text, c.relname::text, '', c.oid,
           'pg_class'::regclass, c.relacl,
           acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r' END, c.relowner)
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relacl IS NOT NULL
        AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S')
    UNION ALL
    SELECT 'column', n.nspname::text, c.relname::text, a.attname::text, c.oid, 'pg_class'::regclass, a.attacl,
           acldefault('c', c.relowner)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT 'schema', '', n.nspname::text, '', n.oid, 'pg_namespace'::regclass, n.nspacl, CASE n.nspname
           WHEN 'public' THEN ARRAY[makeaclitem(n.nspowner, n.nspowner, 'USAGE', false),
               makeaclitem(n.nspowner, n.nspowner, 'CREATE', false), makeaclitem(0, n.nspowner, 'USAGE', false)]
           ELSE acldefault('n', n.nspowner) END
    FROM pg_namespace n WHERE n.nspacl IS NOT NULL
    UNION ALL
    SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, n.nspname::text,
           p.proname::text, pg_get_function_identity_arguments(p.oid), p.oid, 'pg_proc'::regclass, p.proacl,
           acldefault('f', p.proowner)
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.proacl IS NOT NULL
    UNION ALL
    SELECT 'type', n.nspname::text, t.typname::text, '', t.oid, 'pg_type'::regclass, t.typacl,
           acldefault('T', t.typowner)
    FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typacl IS NOT NULL
    UNION ALL
    SELECT 'server', '', s.srvname::text, '', s.oid, 'pg_foreign_server'::regclass, s.srvacl,
           acldefault('S', s.srvowner)
    FROM pg_foreign_server s WHERE s.srvacl IS NOT NULL
    UNION ALL
    SELECT 'foreign data wrapper', '', w.fdwname::text, '', w.oid, 'pg_foreign_data_wrapper'::regclass, w.fdwacl,
           acldefault('F', w.fdwowner)
    FROM pg_foreign_data_wrapper w WHERE w.fdwacl IS NOT NULL
), changed AS (
    SELECT h.kind, h.schema, h.name, h.part, one.sign, one.grantee,
        string_agg(one.privilege_type || CASE WHEN one.is_grantable THEN '*' ELSE '' END, ', '
                   ORDER BY one.privilege_type COLLATE "C") AS rights
    FROM held h, LATERAL (
        (SELECT '' AS sign, grantee, privilege_type, is_grantable FROM aclexplode(h.acl)
         EXCEPT SELECT '', grantee, privilege_type, is_grantable FROM aclexplode(h.usual))
        UNION ALL
        (SELECT 'not ', grantee, privilege_type, is_grantable FROM aclexplode(h.usual)
         EXCEPT SELECT 'not ', grantee, privilege_type, is_grantable FROM aclexplode(h.acl))
    ) AS one
    WHERE CASE WHEN h.kind = 'schema' THEN h.name ELSE h.schema END !~ '^pg_'
        AND CASE WHEN h.kind = 'schema' THEN h.name ELSE h.schema END <> 'information_schema'
        AND CASE WHEN h.kind = 'schema' THEN h.name ELSE h.schema END <> ALL (%(but)s::text[])
        AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = h.classid AND e.objid = h.oid AND e.deptype = 'e')
    GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT kind, schema, name, part, jsonb_build_object('grants', string_agg(
    sign || CASE grantee WHEN 0 THEN 'everybody' ELSE quote_ident(pg_get_userbyid(grantee)) END || ': ' || rights, '; '
    ORDER BY sign, CASE grantee WHEN 0 THEN '' ELSE pg_get_userbyid(grantee)::text END COLLATE "C"))
FROM changed GROUP BY kind, schema, name, part

-- name: default_privileges
-- Rights that new objects will have.
SELECT 'default privileges', coalesce(n.nspname::text, ''), pg_get_userbyid(a.defaclrole)::text,
    CASE a.defaclobjtype WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
    WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE a.defaclobjtype::text END,
    jsonb_build_object('grants', (
        SELECT string_agg(one.grantee || ': ' || one.rights, '; ' ORDER BY one.grantee COLLATE "C") FROM (
            SELECT CASE x.grantee WHEN 0 THEN 'everybody' ELSE quote_ident(pg_get_userbyid(x.grantee)) END AS grantee,
                string_agg(x.privilege_type || CASE WHEN x.is_grantable THEN '*' ELSE '' END, ', '
                           ORDER BY x.privilege_type COLLATE "C") AS rights
            FROM aclexplode(a.defaclacl) AS x GROUP BY 1) AS one))
FROM pg_default_acl a LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace
WHERE coalesce(n.nspname, '') <> ALL (%(but)s::text[])
