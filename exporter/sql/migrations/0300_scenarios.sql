-- scenarios: a situation taken from production that can be played again; a row per version, the highest counts. Read with FINAL.
--
-- Texts are redacted, and go with the traffic they were last seen in. Split and ClusterKey are assigned once and never change; Content is what docs/scenarios.md describes.
CREATE TABLE IF NOT EXISTS {{ table('scenarios') }} {{ on_cluster }} (
    ScenarioId String CODEC(ZSTD(1)),                            -- stable over versions
    Project LowCardinality(String) CODEC(ZSTD(1)),
    AgentName LowCardinality(String) CODEC(ZSTD(1)),
    State LowCardinality(String) CODEC(ZSTD(1)),                 -- active, retired, merged (MergedInto names where), dropped (production outcome not reproduced)
    MergedInto String CODEC(ZSTD(1)),                            -- '' = not merged
    Origin LowCardinality(String) CODEC(ZSTD(1)),                -- pattern (shows a failure) or traffic (keeps what works covered)
    PatternIds Array(LowCardinality(String)) CODEC(ZSTD(1)),     -- patterns that its trajectories show
    Split LowCardinality(String) CODEC(ZSTD(1)),                 -- train, validation, test (locked), fresh
    Generation UInt32 CODEC(ZSTD(1)),                            -- of the locked set it belongs to; a spent set is rotated
    ClusterKey String CODEC(ZSTD(1)),                            -- user or conversation cluster; one cluster never straddles splits
    Stratum String CODEC(ZSTD(1)),                               -- as in trajectory_features
    Goal String CODEC(ZSTD(3)),                                  -- what the user wanted, one line
    Content String CODEC(ZSTD(3)),                               -- JSON: opening, turns, facts, persona, system, tools, tape, criteria
    ContentHash String CODEC(ZSTD(1)),                           -- SHA-256 of Content, hex
    TapeCalls UInt32 CODEC(ZSTD(1)),                             -- recorded tool calls on the tape
    Trajectories Array(String) CODEC(ZSTD(1)),                   -- provenance, newest first
    TraceIds Array(String) CODEC(ZSTD(1)),                       -- provenance, newest first
    Weight Float64 CODEC(ZSTD(1)),                               -- share of its agent's traffic that it stands for, 0 to 1
    ProductionSatisfied Nullable(Float64) CODEC(ZSTD(1)),        -- mean probability of satisfaction of its trajectories; NULL = unknown
    Validity LowCardinality(String) CODEC(ZSTD(1)),              -- unchecked, reproduced, contradicted (down-weighted or dropped)
    ValidityRuns UInt32 CODEC(ZSTD(1)),                          -- episodes that Validity rests on; none of them is ever an arm of a pair
    FirstSeen DateTime64(3) CODEC(Delta, ZSTD(1)),               -- start of its oldest trajectory
    LastSeen DateTime64(3) CODEC(Delta, ZSTD(1)),                -- start of its newest trajectory
    Version UInt64 CODEC(ZSTD(1)),                               -- milliseconds since 1970; the highest counts
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('scenarios', 'Replacing', 'Version, IsDeleted') }}
ORDER BY ScenarioId
{{ ttl('toDateTime(LastSeen)') }}
SETTINGS index_granularity = 1024{{ table_settings }}
