-- name: types
-- Types that users made: enums with their values in order, domains, composite types, ranges, and those of a library.
SELECT 'type', n.nspname::text, t.typname::text, '', jsonb_build_object(
    'form', CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' WHEN 'c' THEN 'composite'
            WHEN 'r' THEN 'range' WHEN 'p' THEN 'pseudo' ELSE 'base' END,
    'values', (SELECT string_agg(quote_literal(v.enumlabel), ', ' ORDER BY v.enumsortorder)
               FROM pg_enum v WHERE v.enumtypid = t.oid),
    'base', CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END,
    'nullable', CASE t.typtype WHEN 'd' THEN NOT t.typnotnull END,
    'default', t.typdefault,
    'collation', CASE WHEN t.typtype = 'd' AND t.typcollation <> b.typcollation
        THEN (SELECT quote_ident(o.nspname) || '.' || quote_ident(l.collname) FROM pg_collation l
              JOIN pg_namespace o ON o.oid = l.collnamespace WHERE l.oid = t.typcollation) END,
    'attributes', CASE t.typtype WHEN 'c' THEN (
        SELECT string_agg(quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod), ', ' ORDER BY a.attnum)
        FROM pg_attribute a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END,
    'subtype', (SELECT concat_ws(' ', format_type(r.rngsubtype, NULL), nullif(r.rngcanonical::oid, 0)::regproc,
                                 nullif(r.rngsubdiff::oid, 0)::regproc) FROM pg_range r WHERE r.rngtypid = t.oid),
    'functions', CASE t.typtype WHEN 'b' THEN concat_ws(' ', t.typinput, t.typoutput) END,
    'owner', CASE WHEN t.typowner <> d.datdba THEN pg_get_userbyid(t.typowner)::text END,
    'comment', coalesce(obj_description(t.oid, 'pg_type'), obj_description(nullif(t.typrelid, 0), 'pg_class')))
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN pg_database d ON d.datname = current_database()
    LEFT JOIN pg_type b ON b.oid = t.typbasetype
    LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE (t.typtype IN ('e', 'd', 'r') OR (t.typtype = 'c' AND c.relkind = 'c')
       OR (t.typtype = 'b' AND NOT EXISTS (SELECT FROM pg_type m WHERE m.typarray = t.oid)))
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid
                    AND e.deptype = 'e')

-- name: domain_constraints
-- Constraints of domains but NOT NULL.
SELECT 'constraint', n.nspname::text, t.typname::text, k.conname::text, jsonb_build_object(
    'definition', regexp_replace(pg_get_constraintdef(k.oid), ' NOT VALID$', ''),
    'validated', k.convalidated,
    'comment', obj_description(k.oid, 'pg_constraint'))
FROM pg_constraint k JOIN pg_type t ON t.oid = k.contypid JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE k.contype <> 'n'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid
                    AND e.deptype = 'e')

-- name: collations
-- Collations that users made.
SELECT 'collation', n.nspname::text, c.collname::text, '', jsonb_build_object(
    'provider', c.collprovider::text, 'deterministic', c.collisdeterministic,
    'locale', coalesce(to_jsonb(c) ->> 'colllocale', to_jsonb(c) ->> 'colliculocale', c.collcollate),
    'character types', c.collctype, 'rules', to_jsonb(c) ->> 'collicurules',
    'owner', CASE WHEN c.collowner <> d.datdba THEN pg_get_userbyid(c.collowner)::text END,
    'comment', obj_description(c.oid, 'pg_collation'))
FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace JOIN pg_database d ON d.datname = current_database()
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_collation'::regclass AND e.objid = c.oid
                    AND e.deptype = 'e')
