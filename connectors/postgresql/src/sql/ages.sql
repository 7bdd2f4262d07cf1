-- Whether it is told when roles were changed.
SELECT has_column_privilege('pg_catalog.pg_authid', 'oid', 'SELECT')
   AND has_column_privilege('pg_catalog.pg_authid', 'xmin', 'SELECT')
   AND current_setting('track_commit_timestamp') = 'on' AS told
