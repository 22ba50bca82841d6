-- assembly_steps: the items with their numbers.
CREATE OR REPLACE TABLE {{ table('assembly_steps') }} (
    N UInt32,
    Step UInt32,
    Kind LowCardinality(String),
    Agent LowCardinality(String),
    Name LowCardinality(String),
    CallId String,
    Status LowCardinality(String),
    ErrorType LowCardinality(String),
    FinishReason LowCardinality(String),
    Model LowCardinality(String),
    Timestamp DateTime64(9),
    DurationNs Nullable(UInt64),
    TraceId String,
    SpanId String,
    MessageKey UInt64, Side UInt8, Message UInt32, Part UInt32,  -- the element that tells it; Message 0: none
    ToolKey UInt64,
    ResponseKey UInt64, ResponseMessage UInt32, ResponsePart UInt32
) ENGINE = Memory
