-- assembly_numbered: the items with their numbers.
CREATE OR REPLACE TABLE {{ table('assembly_numbered') }} (
    N UInt32, Step UInt32, Kind LowCardinality(String), Named Bool, Place UInt64, Message UInt32, ToolKey UInt64, Response UInt64
) ENGINE = Memory
