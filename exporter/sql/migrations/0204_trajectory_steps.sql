-- trajectory_steps: what happened in a trajectory, step by step; reads like the conversation.
--
-- Read with FINAL. The same conversation gives the same steps whatever instrumentation told it: a model call's answer and
-- the tool calls it asked for are steps, told once, however often later histories repeat them.
CREATE TABLE IF NOT EXISTS {{ table('trajectory_steps') }} {{ on_cluster }} (
    TrajectoryId String CODEC(ZSTD(1)),
    Step UInt32 CODEC(ZSTD(1)),                                  -- from 1
    Kind LowCardinality(String) CODEC(ZSTD(1)),                  -- user, assistant (a message), tool (a call with its result), retrieval, handoff, failure (a model call without an answer), other
    Agent LowCardinality(String) CODEC(ZSTD(1)),                 -- who acted; '' for users and where unknown
    Name LowCardinality(String) CODEC(ZSTD(1)),                  -- the tool, or the agent handed over to
    CallId String CODEC(ZSTD(1)),
    Text Nullable(String) CODEC(ZSTD(3)),                        -- what was said; for retrieval, the query
    Reasoning Nullable(String) CODEC(ZSTD(3)),                   -- reasoning that came with an answer, where carried
    Arguments Nullable(String) CODEC(ZSTD(3)),                   -- JSON text of a call's arguments
    Result Nullable(String) CODEC(ZSTD(3)),                      -- what the tool answered; '' is an empty answer, NULL not carried
    Status LowCardinality(String) CODEC(ZSTD(1)),                -- ok, error; '' = not carried
    ErrorType LowCardinality(String) CODEC(ZSTD(1)),
    FinishReason LowCardinality(String) CODEC(ZSTD(1)),
    Model LowCardinality(String) CODEC(ZSTD(1)),
    Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),               -- when it was said or began, as far as spans tell
    DurationNs Nullable(UInt64) CODEC(ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),                               -- evidence: the span that tells it
    SpanId String CODEC(ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('trajectory_steps', 'Replacing', 'Version, IsDeleted') }}
ORDER BY (TrajectoryId, Step)
{{ ttl('toDateTime(Timestamp)') }}
SETTINGS index_granularity = 8192{{ table_settings }}
