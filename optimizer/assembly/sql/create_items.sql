-- assembly_items: steps before they have a number, and where their text is.
CREATE OR REPLACE TABLE {{ table('assembly_items') }} (
    N UInt32,
    Start DateTime64(9), SpanKey UInt64, Position UInt32,        -- order; the message told (Position 1000000: none)
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
    TraceId String, SpanId String,                               -- evidence
    Side UInt8, Message UInt32, Part UInt32,                     -- of the element that tells it
    ToolKey UInt64,                                              -- the span that ran it; 0 = none
    ResponseKey UInt64, ResponseMessage UInt32, ResponsePart UInt32 -- the message that answers it; 0 = none
) ENGINE = Memory
