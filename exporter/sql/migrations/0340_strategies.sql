-- strategies: a reusable fix: what applies when; its evidence is in strategy_trials. Read with FINAL.
CREATE TABLE IF NOT EXISTS {{ table('strategies') }} {{ on_cluster }} (
    StrategyId String CODEC(ZSTD(1)),
    Project LowCardinality(String) CODEC(ZSTD(1)),
    Title String CODEC(ZSTD(1)),
    Category LowCardinality(String) CODEC(ZSTD(1)),              -- of the patterns it answers
    Intervention LowCardinality(String) CODEC(ZSTD(1)),
    AppliesWhen String CODEC(ZSTD(3)),                           -- insight, free of anything that names one agent's data
    NotWhen String CODEC(ZSTD(3)),
    Principle String CODEC(ZSTD(3)),                             -- what to do, and why it works
    EditTemplate String CODEC(ZSTD(3)),                          -- JSON: [{component, operation, passage, text}] with placeholders; '' = none
    Source LowCardinality(String) CODEC(ZSTD(1)),                -- distilled (from a win), imported, written (by a person)
    OriginAgent LowCardinality(String) CODEC(ZSTD(1)),
    OriginExperiment String CODEC(ZSTD(1)),
    State LowCardinality(String) CODEC(ZSTD(1)),                 -- hypothesis, proven, doubtful (validity changed: re-test), retired
    CreatedAt DateTime64(3) CODEC(Delta, ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),                               -- milliseconds since 1970; the highest counts
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('strategies', 'Replacing', 'Version, IsDeleted') }}
ORDER BY StrategyId
SETTINGS index_granularity = 1024{{ table_settings }}
