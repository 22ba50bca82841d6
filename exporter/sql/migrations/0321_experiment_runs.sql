-- experiment_runs: one episode: one scenario run once under one configuration. Read with FINAL.
--
-- A run that failed is a state with a NULL score; every started one stays.
CREATE TABLE IF NOT EXISTS {{ table('experiment_runs') }} {{ on_cluster }} (
    RunId String CODEC(ZSTD(1)),                                 -- also the conversation id of its spans
    ExperimentId String CODEC(ZSTD(1)),                          -- '' = a validity replay
    Project LowCardinality(String) CODEC(ZSTD(1)),
    ScenarioId String CODEC(ZSTD(1)),
    ScenarioVersion UInt64 CODEC(ZSTD(1)),
    Arm LowCardinality(String) CODEC(ZSTD(1)),                   -- baseline, candidate, validity
    Repeat UInt16 CODEC(ZSTD(1)),                                -- from 0
    Attempt UInt16 CODEC(ZSTD(1)),                               -- from 0; faults of the infrastructure are tried again in both arms alike
    ConfigurationHash String CODEC(ZSTD(1)),
    State LowCardinality(String) CODEC(ZSTD(1)),                 -- finished, timed_out, crashed, step_cap, tape_miss, infrastructure
    ErrorKind LowCardinality(String) CODEC(ZSTD(1)),             -- '' = none
    TrajectoryId String CODEC(ZSTD(1)),                          -- where its steps are; '' = none was assembled
    TraceIds Array(String) CODEC(ZSTD(1)),
    Score Nullable(Float64) CODEC(ZSTD(1)),                      -- probability of satisfaction by the assessor; NULL = not judged
    SecondScore Nullable(Float64) CODEC(ZSTD(1)),                -- by the second assessor, where asked
    Gold Nullable(Float64) CODEC(ZSTD(1)),                       -- by people or by criteria checked in code; NULL = not in the gold share
    IsGold UInt8 CODEC(ZSTD(1)),                                 -- 1: drawn for the gold share before any outcome
    AssessorVersion String CODEC(ZSTD(1)),
    Tiers Map(LowCardinality(String), UInt32) CODEC(ZSTD(1)),    -- tool answers by tier: exact, normalised, stub, synthesised, live, miss
    Coverage Nullable(Float64) CODEC(ZSTD(1)),                   -- share of tool calls answered from the tape; NULL = no call
    FirstDivergence Nullable(UInt32) CODEC(ZSTD(1)),             -- first step that left the tape; NULL = none
    Steps UInt32 CODEC(ZSTD(1)),                                 -- model calls
    InputTokens Nullable(UInt64) CODEC(ZSTD(1)),
    OutputTokens Nullable(UInt64) CODEC(ZSTD(1)),
    CostUsd Nullable(Float64) CODEC(ZSTD(1)),
    LatencyMs Nullable(Float64) CODEC(ZSTD(1)),                  -- wall clock of the episode
    StartedAt DateTime64(3) CODEC(Delta, ZSTD(1)),
    FinishedAt Nullable(DateTime64(3)) CODEC(ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),                               -- milliseconds since 1970; the highest counts
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('experiment_runs', 'Replacing', 'Version, IsDeleted') }}
ORDER BY (ExperimentId, ScenarioId, Arm, Repeat, Attempt, RunId)
{{ ttl('toDateTime(StartedAt)') }}
SETTINGS index_granularity = 8192{{ table_settings }}
