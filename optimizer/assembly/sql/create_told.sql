-- assembly_told: the elements that tell something new; columns as in assembly_messages.
CREATE OR REPLACE TABLE {{ table('assembly_told') }} (
    N UInt32, Place UInt64, Side UInt8, Kind UInt8, Key UInt64, CallId UInt64, Name UInt64, Message UInt32
) ENGINE = Memory
