-- Who holds what. A role that can be held holds as an entitlement too, so that its members hold it.
, holder (oid, kind, id) AS (
    SELECT r.oid, 'account', r.oid::text
    FROM pg_catalog.pg_roles r WHERE left(r.rolname, 3) <> 'pg_'
    UNION ALL
    SELECT r.oid, 'entitlement', 'role/' || r.oid::text
    FROM pg_catalog.pg_roles r
    WHERE NOT r.rolcanlogin
       OR EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.roleid = r.oid)
    UNION ALL
    SELECT 0::oid, 'entitlement', 'public'
), held (entitlement, oid, may_pass_on, names, count) AS (
    SELECT 'role/' || m.roleid::text, m.member, bool_or(m.admin_option), NULL::text[], NULL::text
    FROM pg_catalog.pg_auth_members m GROUP BY m.roleid, m.member
    UNION ALL
    -- the owner of the database is a member that no list has
    SELECT 'role/' || r.oid::text, d.datdba, false, NULL, NULL
    FROM pg_catalog.pg_roles r, pg_catalog.pg_database d
    WHERE r.rolname = 'pg_database_owner' AND d.datname = current_database()
    UNION ALL
    SELECT 'public', r.oid, false, NULL, NULL
    FROM pg_catalog.pg_roles r WHERE left(r.rolname, 3) <> 'pg_'
    UNION ALL
    SELECT 'attribute/' || v.word, r.oid, false, NULL, NULL
    FROM pg_catalog.pg_roles r,
         LATERAL (VALUES ('superuser', r.rolsuper), ('createrole', r.rolcreaterole),
                         ('createdb', r.rolcreatedb), ('replication', r.rolreplication),
                         ('bypassrls', r.rolbypassrls)) v (word, has)
    WHERE v.has AND left(r.rolname, 3) <> 'pg_'
    UNION ALL
    SELECT d.entitlement, d.grantee, d.may_pass_on, d.names, d.count FROM told d
)
SELECT t.key, t.entitlement, t.kind, t.id, t.may_pass_on, t.names, t.count
FROM (
    SELECT (d.entitlement || chr(31) || h.kind || chr(31) || h.id) AS key,
           d.entitlement, h.kind, h.id, d.may_pass_on,
           array_to_string(d.names, chr(10)) AS names, d.count
    FROM held d JOIN holder h ON h.oid = d.oid
    -- an attribute and PUBLIC are a role's own: members do not have them through it
    WHERE NOT (h.kind = 'entitlement'
               AND (d.entitlement = 'public' OR left(d.entitlement, 10) = 'attribute/'))
) t
WHERE t.key COLLATE "C" > $1
ORDER BY t.key COLLATE "C"
LIMIT $2
