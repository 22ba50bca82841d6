-- releases: a configuration that is or was served to an agent; the highest version is how it stands. Read with FINAL.
CREATE TABLE IF NOT EXISTS {{ table('releases') }} {{ on_cluster }} (
    ReleaseId String CODEC(ZSTD(1)),                             -- what the client helper stamps on spans as spanloop.release.id
    Project LowCardinality(String) CODEC(ZSTD(1)),
    AgentName LowCardinality(String) CODEC(ZSTD(1)),
    Number UInt32 CODEC(ZSTD(1)),                                -- per agent, from 1
    State LowCardinality(String) CODEC(ZSTD(1)),                 -- proposed, canary, current, superseded, rolled_back, refused
    CanaryShare Float64 CODEC(ZSTD(1)),                          -- share of conversations that get it, 0 to 1
    ConfigurationHash String CODEC(ZSTD(1)),
    Configuration String CODEC(ZSTD(3)),                         -- JSON
    PreviousReleaseId String CODEC(ZSTD(1)),                     -- what a roll-back returns to; '' = none
    CandidateId String CODEC(ZSTD(1)),                           -- '' = registered by a person
    ExperimentId String CODEC(ZSTD(1)),                          -- the verdict it rests on; '' = none
    Effect Nullable(Float64) CODEC(ZSTD(1)),                     -- measured before release
    LiveEffect Nullable(Float64) CODEC(ZSTD(1)),                 -- satisfaction against the previous release in live traffic
    LiveLow Nullable(Float64) CODEC(ZSTD(1)),
    LiveHigh Nullable(Float64) CODEC(ZSTD(1)),
    LiveN UInt64 CODEC(ZSTD(1)),                                 -- judged trajectories of this release
    LiveEValueWorse Nullable(Float64) CODEC(ZSTD(1)),            -- evidence that it is worse
    CreatedAt DateTime64(3) CODEC(Delta, ZSTD(1)),
    ActivatedAt Nullable(DateTime64(3)) CODEC(ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),                               -- milliseconds since 1970; the highest counts
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('releases', 'Replacing', 'Version, IsDeleted') }}
ORDER BY ReleaseId
SETTINGS index_granularity = 1024{{ table_settings }}
