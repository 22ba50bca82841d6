-- holdout_ledger: one look at a locked set; each costs some of its level. Never updated.
CREATE TABLE IF NOT EXISTS {{ table('holdout_ledger') }} {{ on_cluster }} (
    LookId String CODEC(ZSTD(1)),
    Project LowCardinality(String) CODEC(ZSTD(1)),
    AgentName LowCardinality(String) CODEC(ZSTD(1)),
    Generation UInt32 CODEC(ZSTD(1)),                            -- of the locked set
    ScenarioSetHash String CODEC(ZSTD(1)),
    ExperimentId String CODEC(ZSTD(1)),
    Sequence UInt32 CODEC(ZSTD(1)),                              -- test number over the life of the loop, from 1; 0 = no test of the online rule: a confirmation or ranking
    AlphaAllotted Float64 CODEC(ZSTD(1)),                        -- level the online rule allotted to this test
    Closed UInt32 CODEC(ZSTD(1)),                                -- scenarios closed at this look
    EValue Nullable(Float64) CODEC(ZSTD(1)),                     -- NULL = not computed
    Decision LowCardinality(String) CODEC(ZSTD(1)),              -- continue, ship, reject, inconclusive, unsupported
    LookedAt DateTime64(3) CODEC(Delta, ZSTD(1))
) ENGINE = {{ merge_tree('holdout_ledger') }}
ORDER BY (AgentName, Sequence, LookedAt)
SETTINGS index_granularity = 1024{{ table_settings }}
