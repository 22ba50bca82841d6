-- trajectory_traces: which trajectory a trace belongs to, and why.
CREATE TABLE IF NOT EXISTS {{ table('trajectory_traces') }} {{ on_cluster }} (
    TraceId String CODEC(ZSTD(1)),
    TrajectoryId String CODEC(ZSTD(1)),
    Project LowCardinality(String) CODEC(ZSTD(1)),
    Basis LowCardinality(String) CODEC(ZSTD(1)),                 -- conversation (an id carried), trace (none carried), history (inferred: a message history that grows), run (of an experiment)
    ConversationId String CODEC(ZSTD(1)),                        -- as carried; '' where none
    HistoryKey UInt64 CODEC(ZSTD(1)),                            -- hash of the history as this trace leaves it; 0 = not computed
    Start DateTime64(9) CODEC(Delta, ZSTD(1)),
    End DateTime64(9) CODEC(Delta, ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),                               -- milliseconds since 1970 of the assembly; the highest counts
    INDEX idx_history_key HistoryKey TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = {{ merge_tree('trajectory_traces', 'Replacing', 'Version') }}
ORDER BY TraceId
{{ ttl('toDateTime(End)') }}
SETTINGS index_granularity = 1024{{ table_settings }}
