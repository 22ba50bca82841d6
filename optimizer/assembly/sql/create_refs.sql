-- assembly_refs: which parts of which spans hold text of steps.
CREATE OR REPLACE TABLE {{ table('assembly_refs') }} (
    SpanKey UInt64,
    TraceId String,
    N UInt32,
    Inputs Bool,                                                 -- some are in the input
    Head Bool,                                                   -- system instructions and tools are wanted
    Said Array(UInt32), SaidSteps Array(UInt32),                 -- messages that tell what was said (numbers as in assembly_elements)
    Parts Array(UInt32), PartSteps Array(UInt32), Answers Array(Bool) -- positions of calls, and of answers to them
) ENGINE = Memory
