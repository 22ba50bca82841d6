-- assembly_messages: every element of every message told, as numbers (assembly_elements says what they are).
CREATE OR REPLACE TABLE {{ table('assembly_messages') }} (
    N UInt32,
    Stream UInt64,                                               -- an agent within the trajectory; 0 = of an ending
    Place UInt64,                                                -- Ordinal of the call * 2^20 + position in the call: order, and identity
    Side UInt8,                                                  -- 0 input, 1 output
    Kind UInt8,
    Key UInt64,
    Occurrence UInt32,                                           -- the how manieth of that key in this call
    CallId UInt64,                                               -- hash; 0 = none
    Name UInt64,                                                 -- hash of the tool's or the speaker's name; 0 = none
    Message UInt32
) ENGINE = Memory
