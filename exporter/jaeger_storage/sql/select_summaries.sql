-- What a list of traces shows of each. Parameter: ids Array(String), hex. Order: as ids. Times are nanoseconds since 1970; Services is
-- an array of (name, spans, spans in error). A root has no parent, an orphan one that the trace does not hold.
SELECT
    TraceId,
    argMinIf(ServiceName, Timestamp, ParentSpanId = '') AS RootService,
    argMinIf(SpanName, Timestamp, ParentSpanId = '') AS RootOperation,
    toUnixTimestamp64Nano(min(Timestamp)) AS Began,
    max(toUnixTimestamp64Nano(Timestamp) + Duration) AS Ended,
    count() AS Spans,
    countIf(StatusCode = 'Error') AS Errors,
    arrayCount(p -> NOT has(groupUniqArray(SpanId), p), groupArrayIf(ParentSpanId, ParentSpanId != '')) AS Orphans,
    arrayZip((sumMap([ServiceName], [toUInt64(1)], [toUInt64(StatusCode = 'Error')]) AS counts).1, counts.2, counts.3) AS Services
FROM {{ table(traces) }}
WHERE TraceId IN {ids:Array(String)}
    AND toDate(Timestamp) {{ globally }}IN (
        SELECT arrayJoin(arrayMap(d -> toDate(Start) + d, range(toUInt32(toDate(End) - toDate(Start)) + 1)))
        FROM {{ table(traces ~ '_trace_id_ts') }}
        WHERE TraceId IN {ids:Array(String)}
    )
GROUP BY TraceId
ORDER BY indexOf({ids:Array(String)}, TraceId)
