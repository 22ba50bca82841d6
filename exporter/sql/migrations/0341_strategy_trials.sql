-- strategy_trials: one measured outcome of a strategy or an intervention; nulls and harms too. Read with FINAL.
CREATE TABLE IF NOT EXISTS {{ table('strategy_trials') }} {{ on_cluster }} (
    TrialId String CODEC(ZSTD(1)),
    StrategyId String CODEC(ZSTD(1)),                            -- '' = an intervention that no entry describes
    Project LowCardinality(String) CODEC(ZSTD(1)),
    AgentName LowCardinality(String) CODEC(ZSTD(1)),
    PatternId String CODEC(ZSTD(1)),
    Category LowCardinality(String) CODEC(ZSTD(1)),
    Intervention LowCardinality(String) CODEC(ZSTD(1)),
    ExperimentId String CODEC(ZSTD(1)),
    Verdict LowCardinality(String) CODEC(ZSTD(1)),               -- as in experiments
    Effect Nullable(Float64) CODEC(ZSTD(1)),                     -- on scenarios of the pattern
    EffectLow Nullable(Float64) CODEC(ZSTD(1)),
    EffectHigh Nullable(Float64) CODEC(ZSTD(1)),
    SideEffect Nullable(Float64) CODEC(ZSTD(1)),                 -- on other traffic
    SideEffectLow Nullable(Float64) CODEC(ZSTD(1)),
    SideEffectHigh Nullable(Float64) CODEC(ZSTD(1)),
    N UInt32 CODEC(ZSTD(1)),                                     -- scenarios closed
    Harm UInt8 CODEC(ZSTD(1)),                                   -- 1: shown or suspected worse somewhere
    Transferred UInt8 CODEC(ZSTD(1)),                            -- 1: the strategy came from another agent
    SurvivedFresh Nullable(UInt8) CODEC(ZSTD(1)),                -- NULL = not tested on fresh traffic yet
    ModelHash String CODEC(ZSTD(1)),                             -- validity: model
    PromptHash String CODEC(ZSTD(1)),                            -- validity: configuration without the edit
    ToolsHash String CODEC(ZSTD(1)),                             -- validity: tool schemas
    Tokens UInt64 CODEC(ZSTD(1)),
    CostUsd Nullable(Float64) CODEC(ZSTD(1)),
    RecordedAt DateTime64(3) CODEC(Delta, ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),                               -- milliseconds since 1970; the highest counts
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('strategy_trials', 'Replacing', 'Version, IsDeleted') }}
ORDER BY (Category, Intervention, TrialId)
SETTINGS index_granularity = 1024{{ table_settings }}
