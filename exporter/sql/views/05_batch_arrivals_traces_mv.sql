-- batch_arrivals_traces_mv: otel_traces -> batch_arrivals, one row per segment of an inserted block.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table('batch_arrivals_traces_mv') }} {{ on_cluster }} TO {{ table('batch_arrivals') }} AS
SELECT now64(3) AS ArrivedAt, 'traces' AS Signal, BatchId
FROM {{ table('otel_traces') }}
GROUP BY BatchId
