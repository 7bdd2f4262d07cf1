SELECT t.key, t.name, t.kind, t.privileged
FROM (
    SELECT ('role/' || r.oid::text) AS key,
           r.rolname::text AS name,
           'role' AS kind,
           r.rolsuper OR r.rolcreaterole OR r.rolreplication OR r.rolbypassrls
               OR r.rolname IN ('pg_write_all_data', 'pg_read_all_data', 'pg_read_server_files',
                                'pg_write_server_files', 'pg_execute_server_program',
                                'pg_database_owner') AS privileged
    FROM pg_catalog.pg_roles r
    WHERE NOT r.rolcanlogin
       OR EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.roleid = r.oid)
    UNION ALL
    SELECT 'public', 'PUBLIC', 'role', false
    UNION ALL
    SELECT 'attribute/' || word, upper(word), 'permission', word <> 'createdb'
    FROM (VALUES ('superuser'), ('createrole'), ('createdb'), ('replication'), ('bypassrls')) v (word)
    UNION ALL
    SELECT DISTINCT d.entitlement, d.name, 'permission', d.privileged
    FROM told d
) t
WHERE t.key COLLATE "C" > $1
ORDER BY t.key COLLATE "C"
LIMIT $2
