-- budget_ledger: tokens and money: leases taken before a spend, settled after it. Read with FINAL.
CREATE TABLE IF NOT EXISTS {{ table('budget_ledger') }} {{ on_cluster }} (
    LeaseId String CODEC(ZSTD(1)),
    CycleId String CODEC(ZSTD(1)),
    Stage LowCardinality(String) CODEC(ZSTD(1)),
    Project LowCardinality(String) CODEC(ZSTD(1)),
    AgentName LowCardinality(String) CODEC(ZSTD(1)),
    Purpose String CODEC(ZSTD(1)),                               -- what it paid for: an experiment, a candidate
    Role LowCardinality(String) CODEC(ZSTD(1)),                  -- generator, judge, second_judge, user, agent
    State LowCardinality(String) CODEC(ZSTD(1)),                 -- open, settled, forfeited (the process died: counted as spent in full)
    MaxTokens UInt64 CODEC(ZSTD(1)),                             -- granted: written before it is spent
    MaxUsd Nullable(Float64) CODEC(ZSTD(1)),                     -- NULL = no cap in money
    Tokens UInt64 CODEC(ZSTD(1)),                                -- spent
    CostUsd Nullable(Float64) CODEC(ZSTD(1)),                    -- NULL where a call's price is unknown
    TakenAt DateTime64(3) CODEC(Delta, ZSTD(1)),
    SettledAt Nullable(DateTime64(3)) CODEC(ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),                               -- milliseconds since 1970; the highest counts
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('budget_ledger', 'Replacing', 'Version, IsDeleted') }}
ORDER BY (CycleId, LeaseId)
SETTINGS index_granularity = 1024{{ table_settings }}
