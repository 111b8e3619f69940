-- name: extensions
-- Extensions but the one that every database has.
SELECT 'extension', '', x.extname::text, '', jsonb_build_object(
    'schema', n.nspname::text, 'version', x.extversion, 'comment', obj_description(x.oid, 'pg_extension'))
FROM pg_extension x JOIN pg_namespace n ON n.oid = x.extnamespace
WHERE x.extname <> 'plpgsql' AND n.nspname <> ALL (%(but)s::text[])

-- name: event_triggers
-- Event triggers.
SELECT 'event trigger', '', g.evtname::text, '', jsonb_build_object(
    'event', g.evtevent::text, 'function', g.evtfoid::regproc::text, 'tags', array_to_string(g.evttags, ', '),
    'fires', CASE g.evtenabled WHEN 'O' THEN 'yes' WHEN 'D' THEN 'no, it is disabled' WHEN 'R' THEN 'on a replica'
             ELSE 'always' END,
    'owner', CASE WHEN g.evtowner <> d.datdba THEN pg_get_userbyid(g.evtowner)::text END,
    'comment', obj_description(g.oid, 'pg_event_trigger'))
FROM pg_event_trigger g JOIN pg_database d ON d.datname = current_database()
    JOIN pg_proc p ON p.oid = g.evtfoid JOIN pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname <> ALL (%(but)s::text[])
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_event_trigger'::regclass AND e.objid = g.oid
                    AND e.deptype = 'e')

-- name: publications
-- Publications, with what they publish.
SELECT 'publication', '', p.pubname::text, '', jsonb_build_object(
    'all tables', p.puballtables,
    'publishes', concat_ws(', ', CASE WHEN p.pubinsert THEN 'insert' END, CASE WHEN p.pubupdate THEN 'update' END,
                           CASE WHEN p.pubdelete THEN 'delete' END, CASE WHEN p.pubtruncate THEN 'truncate' END),
    'by root', p.pubviaroot,
    'generated columns', CASE to_jsonb(p) ->> 'pubgencols' WHEN 's' THEN 'stored' END,
    'tables', (SELECT string_agg(r.prrelid::regclass::text
                   || coalesce(' (' || (SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
                       FROM pg_attribute a WHERE a.attrelid = r.prrelid AND a.attnum = ANY (r.prattrs)) || ')', '')
                   || coalesce(' where ' || pg_get_expr(r.prqual, r.prrelid), ''), ', '
                   ORDER BY r.prrelid::regclass::text COLLATE "C")
               FROM pg_publication_rel r WHERE r.prpubid = p.oid),
    'schemas', (SELECT string_agg(quote_ident(n.nspname), ', ' ORDER BY n.nspname COLLATE "C")
                FROM pg_publication_namespace s JOIN pg_namespace n ON n.oid = s.pnnspid WHERE s.pnpubid = p.oid),
    'owner', CASE WHEN p.pubowner <> d.datdba THEN pg_get_userbyid(p.pubowner)::text END,
    'comment', obj_description(p.oid, 'pg_publication'))
FROM pg_publication p JOIN pg_database d ON d.datname = current_database()

-- name: subscriptions
-- Subscriptions, but where they connect to: that may hold a password.
SELECT 'subscription', '', s.subname::text, '', jsonb_build_object(
    'enabled', s.subenabled, 'publications', array_to_string(s.subpublications, ', '), 'slot', s.subslotname::text,
    'owner', CASE WHEN s.subowner <> d.datdba THEN pg_get_userbyid(s.subowner)::text END,
    'comment', obj_description(s.oid, 'pg_subscription'))
FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid
WHERE d.datname = current_database()

-- name: statistics
-- Extended statistics.
SELECT 'statistics', n.nspname::text, s.stxname::text, '', jsonb_build_object(
    'definition', pg_get_statisticsobjdef(s.oid),
    'target', CASE WHEN s.stxstattarget >= 0 THEN s.stxstattarget END,
    'owner', CASE WHEN s.stxowner <> d.datdba THEN pg_get_userbyid(s.stxowner)::text END,
    'comment', obj_description(s.oid, 'pg_statistic_ext'))
FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace JOIN pg_database d ON d.datname = current_database()
WHERE n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' AND n.nspname <> ALL (%(but)s::text[])

-- name: settings
-- Settings of this database, for all roles or for one.
SELECT 'setting', '', coalesce(r.rolname::text, 'all roles'), '', jsonb_build_object(
    'values', (SELECT string_agg(one, ', ' ORDER BY one COLLATE "C") FROM unnest(s.setconfig) AS one))
FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase LEFT JOIN pg_roles r ON r.oid = s.setrole
WHERE d.datname = current_database()

-- name: foreign_servers
-- Wrappers, servers and mappings of foreign data; nothing of what a mapping says, for that may be a password.
SELECT 'foreign data wrapper', '', w.fdwname::text, '', jsonb_build_object(
    'handler', nullif(w.fdwhandler::oid, 0)::regproc::text, 'validator', nullif(w.fdwvalidator::oid, 0)::regproc::text,
    'options', array_to_string(w.fdwoptions, ', '), 'comment', obj_description(w.oid, 'pg_foreign_data_wrapper'))
FROM pg_foreign_data_wrapper w
WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_foreign_data_wrapper'::regclass AND e.objid = w.oid
                  AND e.deptype = 'e')
UNION ALL
SELECT 'server', '', s.srvname::text, '', jsonb_build_object(
    'wrapper', w.fdwname::text, 'type', s.srvtype, 'version of it', s.srvversion,
    'options', (SELECT string_agg(one, ', ' ORDER BY one COLLATE "C") FROM unnest(s.srvoptions) AS one
                WHERE one !~* '^[^=]*(password|secret|token)'),
    'comment', obj_description(s.oid, 'pg_foreign_server'))
FROM pg_foreign_server s JOIN pg_foreign_data_wrapper w ON w.oid = s.srvfdw
WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_foreign_server'::regclass AND e.objid = s.oid
                  AND e.deptype = 'e')
UNION ALL
SELECT 'user mapping', '', m.srvname::text, m.usename::text, '{}'
FROM pg_user_mappings m
