-- release_events: the audit trail of releases: who did what, when, on what evidence. Never updated.
CREATE TABLE IF NOT EXISTS {{ table('release_events') }} {{ on_cluster }} (
    EventId String CODEC(ZSTD(1)),
    ReleaseId String CODEC(ZSTD(1)),
    Project LowCardinality(String) CODEC(ZSTD(1)),
    AgentName LowCardinality(String) CODEC(ZSTD(1)),
    Action LowCardinality(String) CODEC(ZSTD(1)),                -- proposed, registered, approved, refused, canary, promoted, superseded, rolled_back
    Actor LowCardinality(String) CODEC(ZSTD(1)),                 -- person, or spanloop
    Reason String CODEC(ZSTD(1)),
    Evidence String CODEC(ZSTD(3)),                              -- JSON
    RecordedAt DateTime64(3) CODEC(Delta, ZSTD(1))
) ENGINE = {{ merge_tree('release_events') }}
ORDER BY (AgentName, RecordedAt, EventId)
SETTINGS index_granularity = 1024{{ table_settings }}
