-- intent_clusters: what users come for, as clusters of their first words; the strata of trajectories. Read with FINAL.
--
-- Clusters are added when traffic fits none of them, never changed, so that a stratum means the same in every analysis.
CREATE TABLE IF NOT EXISTS {{ table('intent_clusters') }} {{ on_cluster }} (
    Stratum String CODEC(ZSTD(1)),                               -- as in trajectory_features; '' = weights of words, of all clusters
    Buckets Array(UInt16) CODEC(ZSTD(1)),                        -- hashed words
    Weights Array(Float32) CODEC(ZSTD(1)),                       -- of each: the centroid, of length 1; for '' inverse document frequency
    Members UInt64 CODEC(ZSTD(1)),                               -- trajectories it was made of
    Example String CODEC(ZSTD(1)),                               -- TrajectoryId nearest to the centroid
    Version UInt64 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('intent_clusters', 'Replacing', 'Version') }}
ORDER BY Stratum
SETTINGS index_granularity = 1024{{ table_settings }}
