-- assembly_told: the elements that tell something new.
CREATE OR REPLACE TABLE {{ table('assembly_told') }} (
    N UInt32,
    Start DateTime64(9),
    SpanKey UInt64,
    Position UInt32,
    Side UInt8,
    Kind UInt8,
    Key UInt64,
    Nth UInt64,                                                  -- the how manieth telling of that key
    CallId String,
    Name LowCardinality(String),
    Message UInt32,
    Part UInt32
) ENGINE = Memory
