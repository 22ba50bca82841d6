-- trace_arrivals: which traces, and logs of which, arrived when, so that an analysis reads what is new and nothing else.
--
-- Written at insert by views (one row per trace and segment); read from a cursor on, never scanned whole.
CREATE TABLE IF NOT EXISTS {{ table('trace_arrivals') }} {{ on_cluster }} (
    ArrivedAt DateTime64(3) CODEC(Delta, ZSTD(1)),               -- clock of the database at insert
    BatchId String CODEC(ZSTD(1)),
    Project LowCardinality(String) CODEC(ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    Start DateTime64(9) CODEC(Delta, ZSTD(1)),                   -- of the earliest and the latest of these spans or logs:
    End DateTime64(9) CODEC(Delta, ZSTD(1))                      -- which partitions hold them
) ENGINE = {{ merge_tree('trace_arrivals') }}
PARTITION BY toDate(ArrivedAt)
ORDER BY (ArrivedAt, TraceId)
{{ ttl('toDateTime(ArrivedAt)') }}
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1{{ table_settings }}
