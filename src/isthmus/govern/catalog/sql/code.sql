-- name: functions
-- Functions and procedures, with their bodies.
SELECT CASE p.prokind WHEN 'p' THEN 'procedure' ELSE 'function' END, n.nspname::text, p.proname::text,
    pg_get_function_identity_arguments(p.oid), jsonb_build_object(
    'definition', pg_get_functiondef(p.oid),
    'owner', CASE WHEN p.proowner <> d.datdba THEN pg_get_userbyid(p.proowner)::text END,
    'comment', obj_description(p.oid, 'pg_proc'))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_database d ON d.datname = current_database()
WHERE p.prokind <> 'a'
    AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid
                    AND e.deptype IN ('e', 'i'))

-- name: aggregates
-- Aggregates.
SELECT 'aggregate', n.nspname::text, p.proname::text, pg_get_function_identity_arguments(p.oid), jsonb_build_object(
    'result', pg_get_function_result(p.oid),
    'kind', CASE a.aggkind WHEN 'n' THEN 'normal' WHEN 'o' THEN 'ordered set' ELSE 'hypothetical set' END,
    'transition', a.aggtransfn::text, 'state type', format_type(a.aggtranstype, NULL),
    'final', nullif(a.aggfinalfn::oid, 0)::regproc::text, 'combine', nullif(a.aggcombinefn::oid, 0)::regproc::text,
    'moving', concat_ws(' ', nullif(a.aggmtransfn::oid, 0)::regproc, nullif(a.aggminvtransfn::oid, 0)::regproc,
                        nullif(a.aggmfinalfn::oid, 0)::regproc, a.aggminitval),
    'initial', a.agginitval,
    'sort operator', nullif(a.aggsortop, 0)::regoper::text,
    'parallel', p.proparallel::text,
    'owner', CASE WHEN p.proowner <> d.datdba THEN pg_get_userbyid(p.proowner)::text END,
    'comment', obj_description(p.oid, 'pg_proc'))
FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace JOIN pg_database d ON d.datname = current_database()
    JOIN pg_aggregate a ON a.aggfnoid = p.oid
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid
                    AND e.deptype = 'e')
