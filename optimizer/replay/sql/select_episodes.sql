-- How replayed runs went: what the span that closes an episode says of it.
-- Parameters: traces Array(String): trace ids of runs, 32 hex digits. One row a trace, in no order: TraceId, attributes of the span.
SELECT TraceId, SpanAttributes
FROM {{ table('otel_traces') }}
WHERE TraceId IN {traces:Array(String)}
    AND Timestamp >= (SELECT min(Start) - INTERVAL 1 SECOND FROM {{ table('otel_traces_trace_id_ts') }} WHERE TraceId IN {traces:Array(String)})
    AND Timestamp <= (SELECT max(End) + INTERVAL 1 SECOND FROM {{ table('otel_traces_trace_id_ts') }} WHERE TraceId IN {traces:Array(String)})
    AND has(mapKeys(SpanAttributes), 'spanloop.replay.state')
LIMIT 1 BY TraceId
