-- assembly_bodies: the text of the steps, in pieces; step 0 holds system instructions (Text) and tools offered (Arguments).
CREATE OR REPLACE TABLE {{ table('assembly_bodies') }} (
    N UInt32,
    Step UInt32,
    Text Nullable(String),
    Reasoning Nullable(String),
    Arguments Nullable(String),
    Result Nullable(String),
    Rank UInt8                                                   -- which piece counts where several have a column: the lowest
) ENGINE = Memory SETTINGS compress = 1
