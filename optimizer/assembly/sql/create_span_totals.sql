-- assembly_span_totals: what the spans of a trajectory say together.
CREATE OR REPLACE TABLE {{ table('assembly_span_totals') }} (
    N UInt32,
    UserId String, ServiceName String, AgentName String, AgentId String, AgentVersion String, Release String, RunId String,
    Models Array(String), Dialects Array(String),
    Start DateTime64(9), End DateTime64(9),
    ModelCalls UInt32,
    Silent UInt32,                                               -- model calls of which no message is known
    Unanswered UInt32,                                           -- model calls that were asked, and carry no answer
    Truncated UInt32,                                            -- spans with a text cut short
    Orphans UInt32,
    ConversationIds UInt32,
    InputTokens Nullable(UInt64), OutputTokens Nullable(UInt64), CostUsd Nullable(Float64)
) ENGINE = Memory
