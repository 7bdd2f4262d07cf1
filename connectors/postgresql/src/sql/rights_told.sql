-- Rights on what databases hold. Those on tables, columns, sequences and functions are gathered by
-- schema, so that a catalogue of a hundred thousand tables is a few lines, each with how many and
-- which: see docs/decisions/rights-by-schema.md.
WITH place (oid, name, own) AS (
    SELECT n.oid, n.nspname::text, n.nspname <> 'pg_catalog'
    FROM pg_catalog.pg_namespace n
    WHERE left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
       OR n.nspname = 'pg_catalog'
), thing (class, oid, part, sort, place, name, acl, usual, owner, as_owner) AS (
    SELECT 'pg_catalog.pg_class'::regclass::oid, c.oid, 0,
           CASE c.relkind WHEN 'S' THEN 'sequences' ELSE 'tables' END,
           c.relnamespace, c.relname::text, c.relacl,
           acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner),
           c.relowner, false
    FROM pg_catalog.pg_class c WHERE c.relkind IN ('r', 'v', 'm', 'f', 'p', 'S')
    UNION ALL
    SELECT 'pg_catalog.pg_class'::regclass::oid, c.oid, a.attnum, 'columns',
           c.relnamespace, c.relname || '.' || a.attname, a.attacl, NULL, c.relowner, false
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
    WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    -- a function does what its caller may; one that acts as its owner gives more, and so may one of
    -- the server's own
    SELECT 'pg_catalog.pg_proc'::regclass::oid, p.oid, 0, 'functions',
           p.pronamespace, p.proname || '(' || pg_get_function_identity_arguments(p.oid) || ')',
           p.proacl, acldefault('f', p.proowner), p.proowner, p.prosecdef
    FROM pg_catalog.pg_proc p
    WHERE p.prosecdef OR p.proacl IS NOT NULL AND p.pronamespace = 'pg_catalog'::regnamespace
), line (sort, place, own, may, grantee, may_pass_on, names, count, weighs) AS (
    SELECT t.sort, p.name, p.own, x.privilege_type, x.grantee, bool_or(x.is_grantable),
           (array_agg(DISTINCT t.name COLLATE "C" ORDER BY t.name COLLATE "C"))[1:20],
           count(DISTINCT t.name)::text,
           -- numbers of roles and when each was changed, which our own reader may be given, are harmless
           bool_or(NOT p.own AND t.name NOT IN ('pg_authid.oid', 'pg_authid.xmin')
                   OR t.as_owner AND (r.rolsuper OR r.rolcreaterole OR r.rolbypassrls))
    FROM thing t
    JOIN place p ON p.oid = t.place
    JOIN pg_catalog.pg_roles r ON r.oid = t.owner,
         aclexplode(coalesce(t.acl, t.usual)) x
    -- of the server's own only what goes beyond what it came with
    WHERE p.own
       OR t.acl IS NOT NULL AND x.grantee <> t.owner
          AND NOT EXISTS (
              SELECT FROM aclexplode(coalesce(
                  (SELECT i.initprivs FROM pg_catalog.pg_init_privs i
                   WHERE i.classoid = t.class AND i.objoid = t.oid AND i.objsubid = t.part),
                  t.usual)) y
              WHERE y.grantee = x.grantee AND y.privilege_type = x.privilege_type)
    GROUP BY t.sort, p.name, p.own, x.privilege_type, x.grantee
), told (entitlement, name, privileged, grantee, may_pass_on, names, count) AS (
    SELECT 'database/' || d.datname || '/' || x.privilege_type,
           x.privilege_type || ' on database ' || d.datname, false,
           x.grantee, bool_or(x.is_grantable), NULL::text[], NULL::text
    FROM pg_catalog.pg_database d,
         aclexplode(coalesce(d.datacl, acldefault('d', d.datdba))) x
    GROUP BY d.datname, x.privilege_type, x.grantee
    UNION ALL
    SELECT 'schema/' || current_database() || '/' || n.nspname || '/' || x.privilege_type,
           x.privilege_type || ' on schema ' || n.nspname || ' of ' || current_database(), false,
           x.grantee, bool_or(x.is_grantable), NULL, NULL
    FROM pg_catalog.pg_namespace n,
         aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x
    WHERE left(n.nspname, 3) <> 'pg_' AND n.nspname <> 'information_schema'
    GROUP BY n.nspname, x.privilege_type, x.grantee
    UNION ALL
    SELECT l.sort || '/' || current_database() || '/' || l.place || '/' || l.may,
           l.may || ' on ' || CASE WHEN l.sort = 'functions' AND l.own
                                   THEN 'functions that act as their owner' ELSE l.sort END
               || ' in schema ' || l.place || ' of ' || current_database(),
           bool_or(l.weighs) OVER (PARTITION BY l.sort, l.place, l.may),
           l.grantee, l.may_pass_on, l.names, l.count
    FROM line l
    UNION ALL
    -- default privileges: rights on what a role will make
    SELECT 'default/' || current_database() || '/' || a.defaclrole::text || '/'
               || coalesce(n.nspname, '*') || '/' || o.sort || '/' || x.privilege_type,
           x.privilege_type || ' on ' || o.sort || ' that ' || r.rolname || ' will make in '
               || CASE WHEN n.oid IS NULL THEN current_database()
                       ELSE 'schema ' || n.nspname || ' of ' || current_database() END,
           false, x.grantee, bool_or(x.is_grantable), NULL, NULL
    FROM pg_catalog.pg_default_acl a
    JOIN pg_catalog.pg_roles r ON r.oid = a.defaclrole
    LEFT JOIN pg_catalog.pg_namespace n ON n.oid = a.defaclnamespace
    CROSS JOIN LATERAL (SELECT CASE a.defaclobjtype
        WHEN 'r' THEN 'tables' WHEN 'S' THEN 'sequences' WHEN 'f' THEN 'functions'
        WHEN 'T' THEN 'types' WHEN 'n' THEN 'schemas' ELSE a.defaclobjtype::text END) o (sort),
         aclexplode(a.defaclacl) x
    -- what a role makes is its own in any case
    WHERE x.grantee <> a.defaclrole
    GROUP BY a.defaclrole, r.rolname, n.oid, n.nspname, o.sort, x.privilege_type, x.grantee
)
