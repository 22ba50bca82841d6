-- Which service called which, and how often: pairs of a span and its parent, both started in the time given.
-- Parameters: start, end Int64, nanoseconds since 1970; most UInt64. Order: parent, child.
SELECT parent.ServiceName AS Parent, child.ServiceName AS Child, count() AS Calls
FROM (
    SELECT TraceId, ParentSpanId, ServiceName
    FROM {{ table(traces) }}
    WHERE ParentSpanId != '' AND Timestamp BETWEEN fromUnixTimestamp64Nano({start:Int64}) AND fromUnixTimestamp64Nano({end:Int64})
) AS child
{{ globally }}INNER JOIN (
    SELECT TraceId, SpanId, ServiceName
    FROM {{ table(traces) }}
    WHERE Timestamp BETWEEN fromUnixTimestamp64Nano({start:Int64}) AND fromUnixTimestamp64Nano({end:Int64})
) AS parent ON parent.TraceId = child.TraceId AND parent.SpanId = child.ParentSpanId
GROUP BY Parent, Child
ORDER BY Parent, Child
LIMIT {most:UInt64}
