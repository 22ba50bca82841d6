-- assembly_items: steps before they have a number, and where their text is.
CREATE OR REPLACE TABLE {{ table('assembly_items') }} (
    N UInt32,
    Place UInt64,                                                -- order; position 2^20 - 1: told by no message
    Kind LowCardinality(String),
    Named Bool,                                                  -- the message names the agent that said it
    Message UInt32,                                              -- that tells it; 0 = none
    ToolKey UInt64,                                              -- SpanKey of the span that ran it; 0 = none
    Response UInt64                                              -- Place of the element that answers it; 0 = none
) ENGINE = Memory
