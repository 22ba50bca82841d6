-- assembly_steps: the steps of the trajectories at hand, without text.
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
    HasResult Bool
) ENGINE = Memory
