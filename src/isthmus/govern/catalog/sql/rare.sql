-- name: operators
-- Operators, casts, operator classes and families, conversions, languages, access methods, transforms.
SELECT i.type, coalesce(i.schema, ''), i.identity, '', jsonb_build_object('definition', f.definition,
    'comment', obj_description(f.oid, f.class::text))
FROM (
    SELECT 'pg_operator'::regclass::oid AS classid, 'pg_operator' AS class, oid, concat_ws(' ', oprcode, oprcanmerge,
        oprcanhash, oprrest, oprjoin, nullif(oprcom, 0)::regoper, nullif(oprnegate, 0)::regoper) AS definition
    FROM pg_operator
    UNION ALL
    SELECT 'pg_cast'::regclass, 'pg_cast', oid, concat_ws(' ', nullif(castfunc, 0)::regproc, castcontext, castmethod)
    FROM pg_cast
    UNION ALL
    SELECT 'pg_opclass'::regclass, 'pg_opclass', oid, concat_ws(' ', format_type(opcintype, NULL), opcdefault,
        nullif(opckeytype, 0)::regtype) FROM pg_opclass
    UNION ALL
    SELECT 'pg_opfamily'::regclass, 'pg_opfamily', o.oid, concat_ws('; ',
        (SELECT string_agg(a.amopstrategy || ' ' || a.amopopr::regoperator, ', ' ORDER BY a.amopstrategy,
                           a.amopopr::regoperator::text COLLATE "C") FROM pg_amop a WHERE a.amopfamily = o.oid),
        (SELECT string_agg(a.amprocnum || ' ' || a.amproc::oid::regprocedure, ', ' ORDER BY a.amprocnum,
                           a.amproc::oid::regprocedure::text COLLATE "C") FROM pg_amproc a WHERE a.amprocfamily = o.oid))
    FROM pg_opfamily o
    UNION ALL
    SELECT 'pg_conversion'::regclass, 'pg_conversion', oid, concat_ws(' ', conproc, conforencoding, contoencoding,
        condefault) FROM pg_conversion
    UNION ALL
    SELECT 'pg_language'::regclass, 'pg_language', oid, concat_ws(' ', lanpltrusted, nullif(lanplcallfoid, 0)::regproc,
        nullif(lanvalidator, 0)::regproc) FROM pg_language
    UNION ALL
    SELECT 'pg_am'::regclass, 'pg_am', oid, concat_ws(' ', amtype, amhandler) FROM pg_am
    UNION ALL
    SELECT 'pg_transform'::regclass, 'pg_transform', oid, concat_ws(' ', nullif(trffromsql::oid, 0)::regproc,
        nullif(trftosql::oid, 0)::regproc) FROM pg_transform
) AS f, LATERAL pg_identify_object(f.classid, f.oid, 0) AS i
WHERE f.oid >= 16384 AND coalesce(i.schema, '') <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = f.classid AND e.objid = f.oid AND e.deptype IN ('e', 'i'))

-- name: text_search
-- Configurations, dictionaries, parsers and templates of full-text search.
SELECT i.type, coalesce(i.schema, ''), i.name, '', jsonb_build_object('definition', f.definition,
    'comment', obj_description(f.oid, f.class::text))
FROM (
    SELECT 'pg_ts_config'::regclass::oid AS classid, 'pg_ts_config' AS class, c.oid, p.prsname || ': ' || coalesce(
        (SELECT string_agg(m.maptokentype || '=' || m.mapdict::regdictionary, ', ' ORDER BY m.maptokentype, m.mapseqno)
         FROM pg_ts_config_map m WHERE m.mapcfg = c.oid), '') AS definition
    FROM pg_ts_config c JOIN pg_ts_parser p ON p.oid = c.cfgparser
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, 'pg_ts_dict', t.oid, concat_ws(' ', m.tmplname, t.dictinitoption)
    FROM pg_ts_dict t JOIN pg_ts_template m ON m.oid = t.dicttemplate
    UNION ALL
    SELECT 'pg_ts_parser'::regclass, 'pg_ts_parser', oid, concat_ws(' ', prsstart, prstoken, prsend, prslextype)
    FROM pg_ts_parser
    UNION ALL
    SELECT 'pg_ts_template'::regclass, 'pg_ts_template', oid, concat_ws(' ', tmplinit, tmpllexize) FROM pg_ts_template
) AS f, LATERAL pg_identify_object(f.classid, f.oid, 0) AS i
WHERE f.oid >= 16384 AND coalesce(i.schema, '') <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = f.classid AND e.objid = f.oid AND e.deptype IN ('e', 'i'))
