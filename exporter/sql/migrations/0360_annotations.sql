-- annotations: what was written back into traces, and into which endpoint; a row per finding, the highest version is how it stands. Read with FINAL.
CREATE TABLE IF NOT EXISTS {{ table('annotations') }} {{ on_cluster }} (
    Kind LowCardinality(String) CODEC(ZSTD(1)),                  -- satisfaction, pattern, assessment, scenario, experiment, release: inside the trace of an agent; cycle: a span of our own work
    TraceId String CODEC(ZSTD(1)),                               -- the target
    SpanId String CODEC(ZSTD(1)),                                -- parent of the annotation; '' = it is the root of a trace of our own
    Identifier String CODEC(ZSTD(1)),                            -- what tells findings of a kind on one target apart: pattern, trajectory, experiment …
    Endpoint LowCardinality(String) CODEC(ZSTD(1)),              -- where it was sent
    Project LowCardinality(String) CODEC(ZSTD(1)),
    AgentName LowCardinality(String) CODEC(ZSTD(1)),
    AnnotationVersion UInt32 CODEC(ZSTD(1)),                     -- from 1: one more each time the finding changes
    AnnotationId String CODEC(ZSTD(1)),                          -- its span id, a hash of the columns above without Endpoint
    Label LowCardinality(String) CODEC(ZSTD(1)),                 -- what was said
    Score Nullable(Float64) CODEC(ZSTD(1)),
    PayloadHash String CODEC(ZSTD(1)),                           -- SHA-256 of the encoded span without version and time, hex
    VerdictHash String CODEC(ZSTD(1)),                           -- the same without links, and without the number where small changes do not count
    Retracted UInt8 CODEC(ZSTD(1)),                              -- 1: the version says that the finding no longer holds
    State LowCardinality(String) CODEC(ZSTD(1)),                 -- pending (written before it is sent), sent (the endpoint acknowledged it)
    FoundAt DateTime64(3) CODEC(Delta, ZSTD(1)),                 -- what the annotation says when it was found
    Moment DateTime64(3) CODEC(Delta, ZSTD(1)),                  -- when what it is about happened: what --since compares
    SentAt Nullable(DateTime64(3)) CODEC(ZSTD(1)),               -- NULL = not acknowledged
    LoggedAt Nullable(DateTime64(3)) CODEC(ZSTD(1)),             -- when its log event was acknowledged; NULL = none was
    Version UInt64 CODEC(ZSTD(1)),                               -- milliseconds since 1970; the highest counts
    IsDeleted UInt8 CODEC(ZSTD(1))                               -- 1: gone with this version
) ENGINE = {{ merge_tree('annotations', 'Replacing', 'Version, IsDeleted') }}
ORDER BY (Kind, TraceId, SpanId, Identifier, Endpoint)
{{ ttl('toDateTime(intDiv(Version, 1000))') }}
SETTINGS index_granularity = 1024{{ table_settings }}
