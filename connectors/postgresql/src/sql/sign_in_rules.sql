-- Rules of pg_hba.conf that let people in without a password, or send it in clear.
SELECT h.line_number::text AS line,
       concat_ws(' ', h.type, array_to_string(h.database, ','), array_to_string(h.user_name, ','),
                 h.address, h.auth_method) AS rule,
       h.auth_method = 'trust' AS open
FROM pg_catalog.pg_hba_file_rules h
WHERE h.error IS NULL
  AND (h.auth_method = 'trust'
       OR h.auth_method = 'password' AND h.type NOT IN ('local', 'hostssl', 'hostgssenc'))
ORDER BY h.line_number
LIMIT 20
