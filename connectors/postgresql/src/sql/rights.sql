-- Who we are, and what of ours is beyond reading.
SELECT current_user::text AS name,
       version() AS version,
       pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') AS sees_sessions,
       has_table_privilege('pg_catalog.pg_hba_file_rules', 'SELECT')
           AND has_function_privilege('pg_catalog.pg_hba_file_rules()', 'EXECUTE') AS sees_rules,
       r.rolsuper AS superuser,
       r.rolcreaterole AS createrole,
       r.rolcreatedb AS createdb,
       r.rolreplication AS replication,
       r.rolbypassrls AS bypassrls,
       has_database_privilege(current_database(), 'CREATE') AS creates,
       array(SELECT g.rolname::text
             FROM pg_catalog.pg_roles g
             WHERE g.oid <> r.oid AND pg_catalog.pg_has_role(g.oid, 'MEMBER')
               AND g.rolname NOT IN ('pg_monitor', 'pg_read_all_stats', 'pg_read_all_settings',
                                     'pg_stat_scan_tables')
             ORDER BY 1 LIMIT 20) AS roles,
       array(SELECT d.datname::text
             FROM pg_catalog.pg_database d
             WHERE d.datallowconn AND d.datname <> current_database()
             ORDER BY 1 LIMIT 20) AS databases
FROM pg_catalog.pg_roles r
WHERE r.rolname = current_user
