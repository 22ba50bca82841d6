-- satisfaction_models: the models that scored trajectories, so that a score can be explained and computed again.
CREATE TABLE IF NOT EXISTS {{ table('satisfaction_models') }} {{ on_cluster }} (
    ModelId String CODEC(ZSTD(1)),
    CreatedAt DateTime64(3) CODEC(Delta, ZSTD(1)),
    FeatureVersion UInt32 CODEC(ZSTD(1)),
    Parameters String CODEC(ZSTD(3)),                            -- JSON
    Labels UInt64 CODEC(ZSTD(1)),                                -- it was trained on
    CrossFittedAuc Nullable(Float64) CODEC(ZSTD(1)),             -- NULL where there were too few labels
    CrossFittedLogLoss Nullable(Float64) CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('satisfaction_models') }}
ORDER BY CreatedAt
SETTINGS index_granularity = 1024{{ table_settings }}
