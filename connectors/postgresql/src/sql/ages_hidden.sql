WITH changed (oid, at) AS (SELECT NULL::oid, NULL::text WHERE false)
