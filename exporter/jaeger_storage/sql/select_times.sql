-- When traces began and ended, in whole seconds. Parameter: ids Array(String), hex. Order: as ids.
SELECT TraceId, toUnixTimestamp(min(Start)), toUnixTimestamp(max(End)) + 1
FROM {{ table(traces ~ '_trace_id_ts') }}
WHERE TraceId IN {ids:Array(String)}
GROUP BY TraceId
ORDER BY indexOf({ids:Array(String)}, TraceId)
