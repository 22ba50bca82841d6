-- trace_arrivals_logs_mv: otel_logs -> trace_arrivals, one row per trace that GenAI events of an inserted block name.
-- Not for what we said of it ourselves, were it sent back to us: an analysis would read the trace again for nothing.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table('trace_arrivals_logs_mv') }} {{ on_cluster }} TO {{ table('trace_arrivals') }} AS
SELECT now64(3) AS ArrivedAt, any(BatchId) AS BatchId, Project, TraceId, min(Timestamp) AS Start, max(Timestamp) AS End
FROM {{ table('otel_logs') }}
WHERE TraceId != '' AND (ScopeName = 'spanloop.feedback' OR NOT match(ScopeName, '^spanloop([.]|$)'))
    AND (startsWith(EventName, 'gen_ai.') OR startsWith(LogAttributes['event.name'], 'gen_ai.'))
GROUP BY Project, TraceId
