-- otel_traces_trace_id_ts: when a trace began and ended, per inserted block (min/max over the rows of a trace).
-- clickhouseexporter v0.161.0 (traces_id_ts_lookup_table.sql), BatchId after its columns.
CREATE TABLE IF NOT EXISTS {{ table('otel_traces_trace_id_ts') }} {{ on_cluster }} (
    TraceId String CODEC(ZSTD(1)),
    Start DateTime CODEC(Delta, ZSTD(1)),
    End DateTime CODEC(Delta, ZSTD(1)),
    BatchId String CODEC(ZSTD(1)),
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_batch_id BatchId TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = {{ merge_tree('otel_traces_trace_id_ts') }}
PARTITION BY toDate(Start)
ORDER BY (TraceId, Start)
{{ ttl('toDateTime(Start)') }}
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1{{ table_settings }}
