-- peer_tools: what the runs of one kind of request call and change, as of the last mining of patterns. Read with FINAL.
--
-- A run is compared with the others of its stratum: what most of them change and it does not, and the reverse.
CREATE TABLE IF NOT EXISTS {{ table('peer_tools') }} {{ on_cluster }} (
    Stratum String CODEC(ZSTD(1)),                               -- as in trajectory_features
    Runs Array(UInt64) CODEC(ZSTD(1)),                           -- hashes (cityHash64) of the trajectory ids that were counted
    Tools Array(LowCardinality(String)) CODEC(ZSTD(1)),          -- called by any of them, without an error
    Counts Array(UInt32) CODEC(ZSTD(1)),                         -- of them that call it
    Changes Array(Bool) CODEC(ZSTD(1)),                          -- whether a call of it changes something
    Values Array(UInt64) CODEC(ZSTD(1)),                         -- hashes of (tool, argument, value) of their changes, made by two runs or more; the most frequent
    ValueCounts Array(UInt32) CODEC(ZSTD(1)),                    -- of them that changed something with it
    Version UInt64 CODEC(ZSTD(1))                                -- milliseconds since 1970 of the mining; the highest counts
) ENGINE = {{ merge_tree('peer_tools', 'Replacing', 'Version') }}
ORDER BY Stratum
SETTINGS index_granularity = 1024{{ table_settings }}
