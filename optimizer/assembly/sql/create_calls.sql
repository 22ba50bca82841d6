-- assembly_calls: spans that tell steps: model calls, tool and retrieval spans, and agents whose messages no call below tells.
CREATE OR REPLACE TABLE {{ table('assembly_calls') }} (
    Ordinal UInt64,                                              -- from 1, in order of time
    N UInt32,
    TraceId String,
    SpanId String,
    SpanKey UInt64,
    Start DateTime64(9),
    End DateTime64(9),
    Class LowCardinality(String),                                -- llm, tool, retrieval, agent (any other that tells messages), ending
    Told Bool,                                                   -- its messages are read
    HasResult Bool,
    Agent LowCardinality(String),                                -- who acted: named by the span, its parent, or the innermost agent around it
    Model LowCardinality(String),
    ToolName LowCardinality(String),
    ToolCallId String,
    FinishReason LowCardinality(String),
    Failed Bool,
    ErrorType LowCardinality(String)
) ENGINE = Memory
