-- The spans of one trace, in the columns that Grafana's trace panel reads. The first part bounds the time, so that few parts are read.
WITH
    (SELECT min(Start) FROM otel_traces_trace_id_ts WHERE TraceId = ${trace:singlequote}) AS first_start,
    (SELECT max(End) + toIntervalSecond(1) FROM otel_traces_trace_id_ts WHERE TraceId = ${trace:singlequote}) AS last_start
SELECT
    TraceId AS traceID, SpanId AS spanID, ParentSpanId AS parentSpanID, ServiceName AS serviceName, SpanName AS operationName,
    toUnixTimestamp64Nano(Timestamp) / 1e6 AS startTime, Duration / 1e6 AS duration,
    arrayMap(key -> map('key', key, 'value', SpanAttributes[key]), mapKeys(SpanAttributes)) AS tags,
    arrayMap(key -> map('key', key, 'value', ResourceAttributes[key]), mapKeys(ResourceAttributes)) AS serviceTags,
    arrayMap(
        (name, at, attributes) -> tuple(
            name, toString(toUnixTimestamp64Milli(at)),
            arrayMap(key -> map('key', key, 'value', attributes[key]), mapKeys(attributes))
        )::Tuple(name String, timestamp String, fields Array(Map(String, String))),
        Events.Name, Events.Timestamp, Events.Attributes
    ) AS logs,
    arrayMap(
        (trace, span, attributes) -> tuple(
            trace, span, arrayMap(key -> map('key', key, 'value', attributes[key]), mapKeys(attributes))
        )::Tuple(traceID String, spanID String, tags Array(Map(String, String))),
        Links.TraceId, Links.SpanId, Links.Attributes
    ) AS references,
    if(StatusCode = 'Error', 2, 0) AS statusCode, SpanKind AS kind, StatusMessage AS statusMessage,
    ScopeName AS instrumentationLibraryName, ScopeVersion AS instrumentationLibraryVersion, TraceState AS traceState
FROM otel_traces
WHERE TraceId = ${trace:singlequote} AND Timestamp >= first_start AND Timestamp <= last_start
ORDER BY startTime
LIMIT 10000
