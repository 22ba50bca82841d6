-- trajectory_symptoms: what looks wrong where in a trajectory; one row per symptom and detail. Read with FINAL.
CREATE TABLE IF NOT EXISTS {{ table('trajectory_symptoms') }} {{ on_cluster }} (
    TrajectoryId String CODEC(ZSTD(1)),
    Symptom LowCardinality(String) CODEC(ZSTD(1)),               -- closed set of docs/patterns.md: tool_error, repeated_call …
    Detail String CODEC(ZSTD(1)),                                -- what tells kinds apart within a symptom: tool, error template …; '' = none
    Step UInt32 CODEC(ZSTD(1)),                                  -- the first of those that show it most surely
    Occurrences UInt32 CODEC(ZSTD(1)),
    Weight Float32 CODEC(ZSTD(1)),                               -- 0 to 1: how sure the rule is that this is a fault, before any outcome is seen
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('trajectory_symptoms', 'Replacing', 'Version, IsDeleted') }}
ORDER BY (TrajectoryId, Symptom, Detail)
{{ ttl('toDateTime(intDiv(Version, 1000))') }}
SETTINGS index_granularity = 8192{{ table_settings }}
