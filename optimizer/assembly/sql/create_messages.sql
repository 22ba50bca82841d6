-- assembly_messages: every element of every message told, without its text (assembly_elements says what they are).
CREATE OR REPLACE TABLE {{ table('assembly_messages') }} (
    N UInt32,
    Stream UInt64,                                               -- an agent within the trajectory
    SpanKey UInt64,
    Start DateTime64(9),
    Position UInt32,                                             -- in the call, input and output together
    Side UInt8,
    Kind UInt8,
    Key UInt64,
    Occurrence UInt32,                                           -- the how manieth of that key in this call
    CallId String,
    Name LowCardinality(String),
    Message UInt32,
    Part UInt32
) ENGINE = Memory
