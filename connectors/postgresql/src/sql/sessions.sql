SELECT t.key, t.account, t.started, t.seen, t.database, t.address, t.application, t.state, t.hidden
FROM (
    SELECT (lpad(a.usesysid::text, 10, '0') || '/' || lpad(a.pid::text, 10, '0') || '/'
            || coalesce((extract(epoch FROM a.backend_start) * 1000000)::bigint::text, ''))
               AS key,
           a.usesysid::text AS account,
           to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS started,
           to_char(a.state_change AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS seen,
           a.datname::text AS database,
           host(a.client_addr) AS address,
           a.application_name AS application,
           a.state AS state,
           a.backend_type IS NULL AS hidden
    FROM pg_catalog.pg_stat_activity a
    WHERE a.usesysid IS NOT NULL
      AND a.pid <> pg_backend_pid()
      -- our own other connections
      AND NOT (a.usename = current_user AND a.application_name = 'lastkey')
      -- what is hidden from this login has no type; only clients are at work in a database
      AND (a.backend_type IN ('client backend', 'walsender')
           OR a.backend_type IS NULL AND a.datid IS NOT NULL)
) t
WHERE t.key COLLATE "C" > $1
ORDER BY t.key COLLATE "C"
LIMIT $2
