-- assembly_matches: which tool span ran the call that an answer asked for.
CREATE OR REPLACE TABLE {{ table('assembly_matches') }} (
    Place UInt64,                                                -- of the asking element in assembly_told
    ToolKey UInt64                                               -- SpanKey of the tool span
) ENGINE = Memory
