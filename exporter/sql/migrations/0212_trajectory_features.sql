-- trajectory_features: numbers that describe a trajectory, for the satisfaction model and for strata. Read with FINAL.
CREATE TABLE IF NOT EXISTS {{ table('trajectory_features') }} {{ on_cluster }} (
    TrajectoryId String CODEC(ZSTD(1)),
    Stratum String CODEC(ZSTD(1)),                               -- what it was about: intent cluster of the opening, comparable within; '' = unknown
    Numbers Array(Float32) CODEC(ZSTD(1)),                       -- in the order of spanloop.optimizer.satisfaction.features; NaN = unknown
    FeatureVersion UInt32 CODEC(ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('trajectory_features', 'Replacing', 'Version, IsDeleted') }}
ORDER BY TrajectoryId
{{ ttl('toDateTime(intDiv(Version, 1000))') }}
SETTINGS index_granularity = 1024{{ table_settings }}
