-- satisfaction_rates: estimates of the share of satisfied trajectories, as each analysis computed them.
CREATE TABLE IF NOT EXISTS {{ table('satisfaction_rates') }} {{ on_cluster }} (
    AnalysisId String CODEC(ZSTD(1)),
    ComputedAt DateTime64(3) CODEC(Delta, ZSTD(1)),
    Project LowCardinality(String) CODEC(ZSTD(1)),
    Dimension LowCardinality(String) CODEC(ZSTD(1)),             -- all, agent, release, intent, day
    Value String CODEC(ZSTD(1)),                                 -- of the dimension
    Trajectories UInt64 CODEC(ZSTD(1)),                          -- complete and closed ones
    Labelled UInt64 CODEC(ZSTD(1)),                              -- of them with a label from a random sample
    Raters UInt64 CODEC(ZSTD(1)),                                -- of them with volunteered feedback
    Clusters UInt64 CODEC(ZSTD(1)),                              -- independent units among the labelled
    Rate Nullable(Float64) CODEC(ZSTD(1)),                       -- NULL = unknown
    Low Nullable(Float64) CODEC(ZSTD(1)),
    High Nullable(Float64) CODEC(ZSTD(1)),
    Level Float64 CODEC(ZSTD(1)),                                -- of the interval, 0.95
    Method LowCardinality(String) CODEC(ZSTD(1)),                -- prediction_powered, labels, raters_bounded, unknown
    RateAmongRaters Nullable(Float64) CODEC(ZSTD(1)),
    PassK Array(Tuple(k UInt8, rate Float64)) CODEC(ZSTD(1))     -- empty unless one scenario was repeated by one configuration
) ENGINE = {{ merge_tree('satisfaction_rates') }}
ORDER BY (Dimension, Value, ComputedAt)
SETTINGS index_granularity = 1024{{ table_settings }}
