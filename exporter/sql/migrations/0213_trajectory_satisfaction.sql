-- trajectory_satisfaction: how probable it is that a trajectory satisfied its user, with the evidence. Read with FINAL.
CREATE TABLE IF NOT EXISTS {{ table('trajectory_satisfaction') }} {{ on_cluster }} (
    TrajectoryId String CODEC(ZSTD(1)),
    Probability Nullable(Float32) CODEC(ZSTD(1)),                -- NULL = no evidence
    Base Nullable(Float32) CODEC(ZSTD(1)),                       -- the same by the numbers that every trajectory has, for rates; of labelled ones by a model that did not see the label
    Method LowCardinality(String) CODEC(ZSTD(1)),                -- prior (rules, no labels seen) or trained
    Evidence Array(Tuple(name LowCardinality(String), contribution Float32)) CODEC(ZSTD(1)), -- strongest first, in log-odds
    ModelId LowCardinality(String) CODEC(ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('trajectory_satisfaction', 'Replacing', 'Version, IsDeleted') }}
ORDER BY TrajectoryId
{{ ttl('toDateTime(intDiv(Version, 1000))') }}
SETTINGS index_granularity = 1024{{ table_settings }}
