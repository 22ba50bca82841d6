-- candidates: a bounded edit of an agent's configuration, aimed at one pattern. Read with FINAL.
CREATE TABLE IF NOT EXISTS {{ table('candidates') }} {{ on_cluster }} (
    CandidateId String CODEC(ZSTD(1)),
    Project LowCardinality(String) CODEC(ZSTD(1)),
    AgentName LowCardinality(String) CODEC(ZSTD(1)),
    CycleId String CODEC(ZSTD(1)),                               -- '' = made outside a cycle
    PatternId String CODEC(ZSTD(1)),                             -- what it is aimed at
    Category LowCardinality(String) CODEC(ZSTD(1)),              -- of that pattern
    Intervention LowCardinality(String) CODEC(ZSTD(1)),          -- kind of fix: context_injection, tool_selection, instruction_refinement, verification, stop_rule …
    Engine LowCardinality(String) CODEC(ZSTD(1)),                -- library, template, model_diff, gepa, command
    StrategyId String CODEC(ZSTD(1)),                            -- of the library's entry it came from; '' = none
    State LowCardinality(String) CODEC(ZSTD(1)),                 -- proposed, refused (by a scan; Reasons), empty (the engine had no proposal), screened (did nothing on open scenarios), deferred (put off to a later cycle; Reasons), testing, shipped, rejected, inconclusive, unsupported
    Reasons Array(LowCardinality(String)) CODEC(ZSTD(1)),        -- why it was refused or decided so
    BaselineHash String CODEC(ZSTD(1)),                          -- configuration it edits
    ConfigurationHash String CODEC(ZSTD(1)),                     -- configuration it results in
    Edits String CODEC(ZSTD(3)),                                 -- JSON: [{component, operation, passage, text}]
    EditHash String CODEC(ZSTD(1)),                              -- what the memory of rejected edits compares
    Configuration String CODEC(ZSTD(3)),                         -- JSON: the whole resulting configuration
    Rationale String CODEC(ZSTD(3)),                             -- why it should help; '' = none given
    Scenarios Array(String) CODEC(ZSTD(1)),                      -- train scenarios whose evidence it saw
    Tokens UInt64 CODEC(ZSTD(1)),                                -- spent on making it
    CostUsd Nullable(Float64) CODEC(ZSTD(1)),                    -- NULL where a call's price is unknown
    CreatedAt DateTime64(3) CODEC(Delta, ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),                               -- milliseconds since 1970; the highest counts
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('candidates', 'Replacing', 'Version, IsDeleted') }}
ORDER BY CandidateId
SETTINGS index_granularity = 1024{{ table_settings }}
