-- batch_arrivals: which segments arrived when, so that feedback in spans and log records is looked for only in what is new.
--
-- Written at insert by views (one row per segment and signal); read from a cursor on, never scanned whole.
CREATE TABLE IF NOT EXISTS {{ table('batch_arrivals') }} {{ on_cluster }} (
    ArrivedAt DateTime64(3) CODEC(Delta, ZSTD(1)),               -- clock of the database at insert
    Signal LowCardinality(String) CODEC(ZSTD(1)),                -- traces or logs
    BatchId String CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('batch_arrivals') }}
PARTITION BY toStartOfMonth(ArrivedAt)
ORDER BY (ArrivedAt, BatchId)
{{ ttl('toDateTime(ArrivedAt)') }}
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1{{ table_settings }}
