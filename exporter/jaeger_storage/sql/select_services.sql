-- Names of all services. Parameter: most UInt64. Order: name.
SELECT DISTINCT ServiceName
FROM {{ table(traces) }}
WHERE ServiceName != ''
ORDER BY ServiceName
LIMIT {most:UInt64}
