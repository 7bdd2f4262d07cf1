-- Who holds what. A role that can be held holds as an entitlement too, so that its members hold it.
WITH holder (oid, kind, id) AS (
    SELECT r.oid, 'account', r.oid::text
    FROM pg_catalog.pg_roles r WHERE left(r.rolname, 3) <> 'pg_'
    UNION ALL
    SELECT r.oid, 'entitlement', 'role/' || r.oid::text
    FROM pg_catalog.pg_roles r
    WHERE NOT r.rolcanlogin
       OR EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.roleid = r.oid)
    UNION ALL
    SELECT 0::oid, 'entitlement', 'public'
), held (entitlement, oid, may_pass_on) AS (
    SELECT 'role/' || m.roleid::text, m.member, bool_or(m.admin_option)
    FROM pg_catalog.pg_auth_members m GROUP BY m.roleid, m.member
    UNION ALL
    SELECT 'public', r.oid, false
    FROM pg_catalog.pg_roles r WHERE left(r.rolname, 3) <> 'pg_'
    UNION ALL
    SELECT 'attribute/' || v.word, r.oid, false
    FROM pg_catalog.pg_roles r,
         LATERAL (VALUES ('superuser', r.rolsuper), ('createrole', r.rolcreaterole),
                         ('createdb', r.rolcreatedb), ('replication', r.rolreplication),
                         ('bypassrls', r.rolbypassrls)) v (word, has)
    WHERE v.has AND left(r.rolname, 3) <> 'pg_'
    UNION ALL
    SELECT 'database/' || d.datname || '/' || x.privilege_type, x.grantee, bool_or(x.is_grantable)
    FROM pg_catalog.pg_database d,
         aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
    GROUP BY d.datname, x.privilege_type, x.grantee
    UNION ALL
    SELECT 'schema/' || current_database() || '/' || n.nspname || '/' || x.privilege_type, x.grantee,
           bool_or(x.is_grantable)
    FROM pg_catalog.pg_namespace n,
         aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x
    WHERE left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
    GROUP BY n.nspname, x.privilege_type, x.grantee
)
SELECT t.key, t.entitlement, t.kind, t.id, t.may_pass_on
FROM (
    SELECT (d.entitlement || chr(31) || h.kind || chr(31) || h.id) AS key,
           d.entitlement, h.kind, h.id, d.may_pass_on
    FROM held d JOIN holder h ON h.oid = d.oid
    -- an attribute and PUBLIC are a role's own: members do not have them through it
    WHERE NOT (h.kind = 'entitlement'
               AND (d.entitlement = 'public' OR left(d.entitlement, 10) = 'attribute/'))
) t
WHERE t.key COLLATE "C" > $1
ORDER BY t.key COLLATE "C"
LIMIT $2
