-- analyses: one run of the analysis: what it read, what it made, what it cost. The last finished one holds the cursors.
CREATE TABLE IF NOT EXISTS {{ table('analyses') }} {{ on_cluster }} (
    AnalysisId String CODEC(ZSTD(1)),
    Stage LowCardinality(String) CODEC(ZSTD(1)),                 -- begun, '' = came to its end; report/… = what a stage did; assembly, feedback, patterns: cursors and bookkeeping of those
    StartedAt DateTime64(3) CODEC(Delta, ZSTD(1)),
    FinishedAt DateTime64(3) CODEC(Delta, ZSTD(1)),
    Cursor DateTime64(3) CODEC(ZSTD(1)),                         -- arrivals before this are done
    Counts Map(LowCardinality(String), UInt64) CODEC(ZSTD(1)),
    CpuSeconds Float64 CODEC(ZSTD(1)),
    Tokens UInt64 CODEC(ZSTD(1)),
    CostUsd Nullable(Float64) CODEC(ZSTD(1)),
    Notes Array(String) CODEC(ZSTD(1))                           -- what was skipped, and why
) ENGINE = {{ merge_tree('analyses') }}
ORDER BY (Stage, FinishedAt)
SETTINGS index_granularity = 1024{{ table_settings }}
