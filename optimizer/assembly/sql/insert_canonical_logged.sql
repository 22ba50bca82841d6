-- Spans of the arrived traces whose log records carry messages, into canonical_logged.
-- Parameters: events Array(String), names of the events that do; span_bytes UInt64, what is read of one span.
INSERT INTO {{ table('canonical_logged') }}
WITH
    arraySort(groupArray((Timestamp, length(Body) + arraySum(v -> length(v), mapValues(LogAttributes))))) AS records,
    arrayCumSum(records.2) AS sums,
    greatest(arrayCount(s -> s <= {span_bytes:UInt64}, sums), 1) AS kept
SELECT TraceId, SpanId, records[kept].1, sums[kept], kept < length(records)
FROM {{ table('otel_logs') }}
WHERE Timestamp >= (SELECT toDateTime64(min(FirstDay), 3) - INTERVAL 1 DAY FROM {{ table('assembly_arrivals') }})
    AND Timestamp < (SELECT toDateTime64(max(LastDay), 3) + INTERVAL 2 DAY FROM {{ table('assembly_arrivals') }})
    AND (EventName IN {events:Array(String)} OR LogAttributes['event.name'] IN {events:Array(String)})
    AND SpanId != ''
    AND TraceId IN (SELECT TraceId FROM {{ table('assembly_arrivals') }})
GROUP BY TraceId, SpanId
