-- Events that carry messages in log records of the spans of one chunk, as spanloop.processor.messages reads events.
--
-- A record may come much later than its span began: a day on both sides. Content is in the attributes, or in the body
-- (conventions before v1.37), which is JSON then. At most 10,000 records of a span.
-- Parameters: chunk UInt32; first_ns, last_ns Int64; events Array(String).
-- Row order: none.
SELECT
    TraceId,
    SpanId,
    arrayMap(
        e -> (e.2, e.3, e.4),
        arraySort(e -> (e.1, e.2), groupArray(10000)((Timestamp, Name, Body, LogAttributes)))
    ) AS Events
FROM (
    SELECT
        TraceId,
        SpanId,
        Timestamp,
        if(empty(EventName), LogAttributes['event.name'], EventName) AS Name,
        Body,
        CAST(LogAttributes, 'Map(String, String)') AS LogAttributes
    FROM {{ table('otel_logs') }}
    WHERE Timestamp >= fromUnixTimestamp64Nano({first_ns:Int64}) - INTERVAL 1 DAY
        AND Timestamp <= fromUnixTimestamp64Nano({last_ns:Int64}) + INTERVAL 1 DAY
        AND Name IN {events:Array(String)}
        AND (TraceId, SpanId) IN (
            SELECT TraceId, SpanId FROM {{ table('canonical_todo') }} WHERE Chunk = {chunk:UInt32} AND Logged
        )
)
GROUP BY TraceId, SpanId
