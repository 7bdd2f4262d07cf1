-- When a role was changed at the latest: its password is no younger. Of the table with the hashes
-- only the number of a role and the number of the transaction that wrote its row are looked at.
WITH changed (oid, at) AS (
    SELECT a.oid, to_char(pg_xact_commit_timestamp(a.xmin) AT TIME ZONE 'UTC',
                          'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM pg_catalog.pg_authid a
)
