-- trace_arrivals_spans_mv: genai_spans -> trace_arrivals, one row per trace of an inserted block.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table('trace_arrivals_spans_mv') }} {{ on_cluster }} TO {{ table('trace_arrivals') }} AS
SELECT now64(3) AS ArrivedAt, any(BatchId) AS BatchId, Project, TraceId, min(Timestamp) AS Start, max(Timestamp) AS End
FROM {{ table('genai_spans') }}
WHERE TraceId != ''
GROUP BY Project, TraceId
