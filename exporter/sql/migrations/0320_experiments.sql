-- experiments: a test of one candidate against the production configuration; the highest version is how it stands. Read with FINAL.
--
-- Every number a verdict rests on is in Numbers, each with how it was computed.
CREATE TABLE IF NOT EXISTS {{ table('experiments') }} {{ on_cluster }} (
    ExperimentId String CODEC(ZSTD(1)),
    Project LowCardinality(String) CODEC(ZSTD(1)),
    AgentName LowCardinality(String) CODEC(ZSTD(1)),
    CycleId String CODEC(ZSTD(1)),                               -- '' = run by hand
    CandidateId String CODEC(ZSTD(1)),
    Purpose LowCardinality(String) CODEC(ZSTD(1)),               -- gate (locked test), confirmation (fresh traffic), validation (ranking), live (canary)
    State LowCardinality(String) CODEC(ZSTD(1)),                 -- frozen, running, decided
    Verdict LowCardinality(String) CODEC(ZSTD(1)),               -- ship, reject, inconclusive, unsupported; '' = none yet
    Reason LowCardinality(String) CODEC(ZSTD(1)),                -- budget, assessor unaudited, off-tape, missing, guardrail …; '' = none
    Target LowCardinality(String) CODEC(ZSTD(1)),                -- replay, http, python
    BaselineHash String CODEC(ZSTD(1)),
    CandidateHash String CODEC(ZSTD(1)),
    Scenarios Array(String) CODEC(ZSTD(1)),                      -- frozen before any outcome, in the order they are entered
    ScenarioSetHash String CODEC(ZSTD(1)),                       -- of the list, its contents and its order
    Repeats UInt16 CODEC(ZSTD(1)),                               -- runs per arm and scenario
    Seed UInt64 CODEC(ZSTD(1)),
    AssessorVersion String CODEC(ZSTD(1)),                       -- what judged both arms
    Settings String CODEC(ZSTD(3)),                              -- JSON: alpha, margins, caps, gold share
    AlphaSpent Nullable(Float64) CODEC(ZSTD(1)),                 -- level it was tested at
    ScenariosClosed UInt32 CODEC(ZSTD(1)),                       -- all repeats of both arms done
    Effect Nullable(Float64) CODEC(ZSTD(1)),                     -- candidate less baseline, probability of satisfaction; NULL = nothing closed
    EffectLow Nullable(Float64) CODEC(ZSTD(1)),
    EffectHigh Nullable(Float64) CODEC(ZSTD(1)),
    EValue Nullable(Float64) CODEC(ZSTD(1)),                     -- against an effect of zero or less
    Numbers Array(Tuple(name String, value Nullable(Float64), low Nullable(Float64), high Nullable(Float64), method String)) CODEC(ZSTD(3)),
    Tokens UInt64 CODEC(ZSTD(1)),
    CostUsd Nullable(Float64) CODEC(ZSTD(1)),                    -- NULL where a call's price is unknown
    StartedAt DateTime64(3) CODEC(Delta, ZSTD(1)),
    DecidedAt Nullable(DateTime64(3)) CODEC(ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),                               -- milliseconds since 1970; the highest counts
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('experiments', 'Replacing', 'Version, IsDeleted') }}
ORDER BY ExperimentId
SETTINGS index_granularity = 1024{{ table_settings }}
