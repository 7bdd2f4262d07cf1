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
    SELECT DISTINCT 'database/' || d.datname || '/' || x.privilege_type,
           x.privilege_type || ' on database ' || d.datname, 'permission', false
    FROM pg_catalog.pg_database d,
         aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
    UNION ALL
    SELECT DISTINCT 'schema/' || current_database() || '/' || n.nspname || '/' || x.privilege_type,
           x.privilege_type || ' on schema ' || n.nspname || ' of ' || current_database(),
           'permission', false
    FROM pg_catalog.pg_namespace n,
         aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x
    WHERE left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
) t
WHERE t.key COLLATE "C" > $1
ORDER BY t.key COLLATE "C"
LIMIT $2
