-- pattern_members: a trajectory that shows a pattern, and where. Read with FINAL.
CREATE TABLE IF NOT EXISTS {{ table('pattern_members') }} {{ on_cluster }} (
    PatternId String CODEC(ZSTD(1)),
    TrajectoryId String CODEC(ZSTD(1)),
    DeviatingStep UInt32 CODEC(ZSTD(1)),                         -- first step at which it went wrong, as far as steps tell
    EvidenceSteps Array(UInt32) CODEC(ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),                               -- of the deviating step
    SpanId String CODEC(ZSTD(1)),
    Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('pattern_members', 'Replacing', 'Version, IsDeleted') }}
ORDER BY (PatternId, TrajectoryId)
{{ ttl('toDateTime(intDiv(Version, 1000))') }}
SETTINGS index_granularity = 8192{{ table_settings }}
