-- batch_arrivals_logs_mv: otel_logs -> batch_arrivals, one row per segment of an inserted block.
CREATE MATERIALIZED VIEW IF NOT EXISTS {{ table('batch_arrivals_logs_mv') }} {{ on_cluster }} TO {{ table('batch_arrivals') }} AS
SELECT now64(3) AS ArrivedAt, 'logs' AS Signal, BatchId
FROM {{ table('otel_logs') }}
GROUP BY BatchId
