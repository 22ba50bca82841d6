-- assembly_bodies: the text of the steps, in pieces; step 0 holds system instructions (Text) and tools offered (Arguments).
CREATE OR REPLACE TABLE {{ table('assembly_bodies') }} (
    N UInt32,
    Step UInt32,
    Rank UInt8,                                                  -- which piece counts where several have a column: the lowest
    Text Nullable(String),
    Reasoning Nullable(String),
    Arguments Nullable(String),
    Result Nullable(String),
    Name LowCardinality(String),                                 -- of the tool, or of who said it
    CallId String
) ENGINE = Memory SETTINGS compress = 1
