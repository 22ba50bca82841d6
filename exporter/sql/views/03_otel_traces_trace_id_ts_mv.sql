-- otel_traces_trace_id_ts_mv: when each trace of an inserted block began and ended (clickhouseexporter v0.161.0).
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table('otel_traces_trace_id_ts_mv') }} {{ on_cluster }} TO {{ table('otel_traces_trace_id_ts') }} AS
SELECT TraceId, min(Timestamp) AS Start, max(Timestamp) AS End, any(BatchId) AS BatchId
FROM {{ table('otel_traces') }}
WHERE TraceId != ''
GROUP BY TraceId
