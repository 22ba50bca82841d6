-- assembly_heads: the first call told of each trajectory, which names system instructions and tools.
CREATE OR REPLACE TABLE {{ table('assembly_heads') }} (N UInt32, Ordinal UInt64) ENGINE = Memory
