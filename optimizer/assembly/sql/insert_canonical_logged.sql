-- Spans of the arrived traces whose log records carry messages, into canonical_logged.
-- Parameters: events Array(String), names of the events that do.
INSERT INTO {{ table('canonical_logged') }}
SELECT DISTINCT TraceId, SpanId
FROM {{ table('otel_logs') }}
WHERE Timestamp >= (SELECT toDateTime64(min(FirstDay), 3) - INTERVAL 1 DAY FROM {{ table('assembly_arrivals') }})
    AND Timestamp < (SELECT toDateTime64(max(LastDay), 3) + INTERVAL 2 DAY FROM {{ table('assembly_arrivals') }})
    AND (EventName IN {events:Array(String)} OR LogAttributes['event.name'] IN {events:Array(String)})
    AND SpanId != ''
    AND TraceId IN (SELECT TraceId FROM {{ table('assembly_arrivals') }})
