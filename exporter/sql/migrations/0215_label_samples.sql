-- label_samples: audit samples: which trajectories chance chose to be looked at, with what probability, in what order.
CREATE TABLE IF NOT EXISTS {{ table('label_samples') }} {{ on_cluster }} (
    SampleId String CODEC(ZSTD(1)),
    TrajectoryId String CODEC(ZSTD(1)),
    Project LowCardinality(String) CODEC(ZSTD(1)),
    Stratum LowCardinality(String) CODEC(ZSTD(1)),               -- agent drawn within; '' = the sample is not stratified
    Probability Float64 CODEC(ZSTD(1)),                          -- with which this trajectory was drawn
    Position UInt32 CODEC(ZSTD(1)),                              -- random order in which to label, from 1
    Population UInt64 CODEC(ZSTD(1)),                            -- trajectories of the stratum when it was drawn
    Filters String CODEC(ZSTD(1)),                               -- JSON: what it was drawn from
    Seed UInt64 CODEC(ZSTD(1)),
    DrawnAt DateTime64(3) CODEC(Delta, ZSTD(1))
) ENGINE = {{ merge_tree('label_samples') }}
ORDER BY (SampleId, TrajectoryId)
SETTINGS index_granularity = 1024{{ table_settings }}
