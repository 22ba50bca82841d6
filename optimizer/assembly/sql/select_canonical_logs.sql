-- Events that carry messages in log records of the spans of one chunk, as spanloop.processor.messages reads events.
--
-- A record may come much later than its span began: a day on both sides. Content is in the attributes, or in the body
-- (conventions before v1.37), which is JSON then.
-- Parameters: chunk UInt32; first_ns, last_ns Int64; events Array(String).
-- Row order: none. Columns: trace and span id, [(name, body, attributes)] in order of time, whether records were left out.
SELECT
    TraceId,
    SpanId,
    arrayMap(e -> (e.2, e.3, e.4), arraySort(e -> (e.1, e.2), groupArray((Timestamp, Name, Body, Attributes)))) AS Events,
    any(Cut)
FROM (
    SELECT
        logs.TraceId AS TraceId,
        logs.SpanId AS SpanId,
        logs.Timestamp AS Timestamp,
        if(empty(EventName), LogAttributes['event.name'], EventName) AS Name,
        toValidUTF8(Body) AS Body,
        mapApply((k, v) -> (k::String, toValidUTF8(v)), LogAttributes) AS Attributes,
        Cut
    FROM {{ table('otel_logs') }} AS logs
    INNER JOIN {{ table('canonical_logged') }} AS logged ON logged.TraceId = logs.TraceId AND logged.SpanId = logs.SpanId
    WHERE logs.Timestamp >= fromUnixTimestamp64Nano({first_ns:Int64}) - INTERVAL 1 DAY
        AND logs.Timestamp <= fromUnixTimestamp64Nano({last_ns:Int64}) + INTERVAL 1 DAY
        AND logs.Timestamp <= Until
        AND Name IN {events:Array(String)}
        AND (logs.TraceId, logs.SpanId) IN (
            SELECT TraceId, SpanId FROM {{ table('canonical_todo') }} WHERE Chunk = {chunk:UInt32} AND Logged
        )
)
GROUP BY TraceId, SpanId
