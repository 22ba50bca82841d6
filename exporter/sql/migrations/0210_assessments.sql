-- assessments: one judgement of one target by one assessor. Read with FINAL.
CREATE TABLE IF NOT EXISTS {{ table('assessments') }} {{ on_cluster }} (
    AssessmentId String CODEC(ZSTD(1)),                          -- derived from carrier and content, so that reading it twice is one row
    Project LowCardinality(String) CODEC(ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),                               -- the target; '' where only a conversation is named
    SpanId String CODEC(ZSTD(1)),                                -- '' = the whole trace or conversation
    ConversationId String CODEC(ZSTD(1)),                        -- '' where only a trace is named
    Source LowCardinality(String) CODEC(ZSTD(1)),                -- feedback (the user), label (a person asked to look), outcome (observed success), behaviour, judge (a model), evaluation (an automatic one that the agent sent)
    Name LowCardinality(String) CODEC(ZSTD(1)),                  -- what was judged: satisfaction, user_feedback, a criterion …
    Score Nullable(Float64) CODEC(ZSTD(1)),                      -- as carried
    Label LowCardinality(String) CODEC(ZSTD(1)),                 -- as carried
    Satisfied Nullable(Float64) CODEC(ZSTD(1)),                  -- 0 to 1 as understood; NULL where it says nothing about satisfaction
    Explanation Nullable(String) CODEC(ZSTD(3)),
    Assessor LowCardinality(String) CODEC(ZSTD(1)),              -- who judged: user id, reviewer, model
    AssessorVersion LowCardinality(String) CODEC(ZSTD(1)),
    Selection LowCardinality(String) CODEC(ZSTD(1)),             -- how the target was chosen: sampled (known probability), volunteered, targeted (where informative)
    SelectionProbability Nullable(Float64) CODEC(ZSTD(1)),       -- NULL unless sampled
    SampleId String CODEC(ZSTD(1)),                              -- the audit sample it belongs to; '' = none
    Carrier LowCardinality(String) CODEC(ZSTD(1)),               -- log, span_event, span_link, child_span, attributes, api, command, analysis
    Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),               -- when it was given
    Version UInt64 CODEC(ZSTD(1)),
    IsDeleted UInt8 CODEC(ZSTD(1)),                              -- 1: withdrawn
    INDEX idx_trace_id TraceId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_conversation_id ConversationId TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = {{ merge_tree('assessments', 'Replacing', 'Version, IsDeleted') }}
ORDER BY (Source, Name, AssessmentId)
{{ ttl('toDateTime(Timestamp)') }}
SETTINGS index_granularity = 1024{{ table_settings }}
