SELECT t.key, t.oid, t.name, t.login, t.past, t.valid_until, t.superuser, t.createrole, t.createdb,
       t.replication, t.bypassrls, t.connection_limit, t.comment, t.dropped
FROM (
    SELECT lpad(r.oid::text, 10, '0') AS key,
           r.oid::text AS oid,
           r.rolname::text AS name,
           r.rolcanlogin AS login,
           coalesce(r.rolvaliduntil <= now(), false) AS past,
           CASE WHEN isfinite(r.rolvaliduntil)
                THEN to_char(r.rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END
               AS valid_until,
           r.rolsuper AS superuser,
           r.rolcreaterole AS createrole,
           r.rolcreatedb AS createdb,
           r.rolreplication AS replication,
           r.rolbypassrls AS bypassrls,
           nullif(r.rolconnlimit, -1)::text AS connection_limit,
           shobj_description(r.oid, 'pg_authid') AS comment,
           false AS dropped
    FROM pg_catalog.pg_roles r
    WHERE left(r.rolname, 3) <> 'pg_'
    UNION ALL
    -- a role that was dropped while it was at work: its sessions go on
    SELECT DISTINCT lpad(a.usesysid::text, 10, '0'), a.usesysid::text, NULL, false,
           false, NULL, false, false, false, false, false, NULL, NULL, true
    FROM pg_catalog.pg_stat_activity a
    WHERE a.usesysid IS NOT NULL AND a.datid IS NOT NULL
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles r WHERE r.oid = a.usesysid)
) t
WHERE t.key COLLATE "C" > $1
ORDER BY t.key COLLATE "C"
LIMIT $2
