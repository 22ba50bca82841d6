-- assembly_orphans: spans whose parent is no GenAI span of the traces at hand.
CREATE OR REPLACE TABLE {{ table('assembly_orphans') }} (TraceId String, SpanKey UInt64, ParentKey UInt64) ENGINE = Memory
