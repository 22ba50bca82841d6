-- cycles: a turn of the loop, stage by stage; the highest version is how it stands. Read with FINAL.
CREATE TABLE IF NOT EXISTS {{ table('cycles') }} {{ on_cluster }} (
    CycleId String CODEC(ZSTD(1)),
    Stage LowCardinality(String) CODEC(ZSTD(1)),                 -- '' = the whole cycle; analysis, scenarios, candidates, experiments, releases, strategies
    Project LowCardinality(String) CODEC(ZSTD(1)),
    AgentName LowCardinality(String) CODEC(ZSTD(1)),             -- '' = all agents
    State LowCardinality(String) CODEC(ZSTD(1)),                 -- running, done, skipped, stopped (budget), failed
    Counts Map(LowCardinality(String), Int64) CODEC(ZSTD(1)),
    Notes Array(String) CODEC(ZSTD(3)),                          -- what was skipped, and why
    Tokens UInt64 CODEC(ZSTD(1)),
    CostUsd Nullable(Float64) CODEC(ZSTD(1)),
    CpuSeconds Float64 CODEC(ZSTD(1)),
    StartedAt DateTime64(3) CODEC(Delta, ZSTD(1)),
    FinishedAt Nullable(DateTime64(3)) CODEC(ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),                               -- milliseconds since 1970; the highest counts
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('cycles', 'Replacing', 'Version, IsDeleted') }}
ORDER BY (CycleId, Stage, AgentName)
SETTINGS index_granularity = 1024{{ table_settings }}
