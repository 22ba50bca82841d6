-- Spans that findings are about: of each trace the outermost one (the root; where none arrived, the earliest) and the spans asked for.
-- What we wrote ourselves is no target. A start that was replaced at receipt is given as it was sent; only there is the attribute that
-- keeps it believed, since any sender may write it, and OTLP has no time before 1970.
--
-- Parameters: traces Array(String); spans Array(String). Rows, in no order: TraceId, SpanId, start and end in Unix nanoseconds, whether
-- it is the outermost.
WITH told AS (
    SELECT
        TraceId, SpanId, ParentSpanId,
        toUnixTimestamp64Nano(Timestamp) AS StoredNs,
        if(Timestamp = ReceivedTime,
            ifNull(toInt64OrNull(SpanAttributes['spanloop.original_start_time_unix_nano']), StoredNs), StoredNs) AS SentNs,
        greatest(SentNs, 0) AS StartNs,
        StartNs + toInt64(Duration) AS EndNs
    FROM {{ table('otel_traces') }}
    WHERE TraceId IN {traces:Array(String)}
        AND Timestamp >= (SELECT min(Start) - INTERVAL 1 SECOND FROM {{ table('otel_traces_trace_id_ts') }} WHERE TraceId IN {traces:Array(String)})
        AND Timestamp <= (SELECT max(End) + INTERVAL 1 SECOND FROM {{ table('otel_traces_trace_id_ts') }} WHERE TraceId IN {traces:Array(String)})
        AND NOT match(ScopeName, '^spanloop([.]|$)')
        AND NOT has(mapKeys(SpanAttributes), 'logfire.pending_parent_id')
    LIMIT 1 BY TraceId, SpanId
)
SELECT TraceId, SpanId, StartNs, EndNs, false AS Outermost FROM told WHERE SpanId IN {spans:Array(String)}
UNION ALL
SELECT TraceId, least_span.1, least_span.2, least_span.3, true
FROM (
    SELECT TraceId, argMin((SpanId, StartNs, EndNs), (ParentSpanId != '', StartNs, SpanId)) AS least_span FROM told GROUP BY TraceId
)
