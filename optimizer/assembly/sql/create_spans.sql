-- assembly_spans: the spans of the traces at hand, without content.
CREATE OR REPLACE TABLE {{ table('assembly_spans') }} (
    N UInt32,
    TraceId String,
    SpanId String,
    SpanKey UInt64,                                              -- cityHash64(TraceId, SpanId)
    ParentSpanId String,
    Start DateTime64(9),
    End DateTime64(9),
    Class LowCardinality(String),
    HasMessages Bool,
    HasResult Bool,                                              -- the tool's answer is on the span
    Truncated Bool,                                              -- a cap was reached when its content was rewritten
    AgentName LowCardinality(String),
    AgentId String,
    AgentVersion LowCardinality(String),
    Release LowCardinality(String),
    RunId String,
    ServiceName LowCardinality(String),
    Dialect LowCardinality(String),
    UserId String,
    ConversationId String,
    Model LowCardinality(String),
    ToolName LowCardinality(String),
    ToolCallId String,
    FinishReason LowCardinality(String),
    Failed Bool,
    ErrorType LowCardinality(String),
    InputTokens Nullable(UInt64),
    OutputTokens Nullable(UInt64),
    CostUsd Nullable(Float64)
) ENGINE = Memory
