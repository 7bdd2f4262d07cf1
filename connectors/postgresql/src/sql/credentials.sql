-- Whether a role has a password is told to superusers only; that one that may log in has one is
-- taken for granted, and said to be so.
SELECT t.key, t.oid, t.name, t.login, t.past, t.valid_until, t.changed
FROM (
    SELECT lpad(r.oid::text, 10, '0') AS key,
           r.oid::text AS oid,
           r.rolname::text AS name,
           r.rolcanlogin AS login,
           coalesce(r.rolvaliduntil <= now(), false) AS past,
           CASE WHEN isfinite(r.rolvaliduntil)
                THEN to_char(r.rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') END
               AS valid_until,
           c.at AS changed
    FROM pg_catalog.pg_roles r LEFT JOIN changed c ON c.oid = r.oid
    WHERE left(r.rolname, 3) <> 'pg_' AND (r.rolcanlogin OR r.rolvaliduntil IS NOT NULL)
) t
WHERE t.key COLLATE "C" > $1
ORDER BY t.key COLLATE "C"
LIMIT $2
