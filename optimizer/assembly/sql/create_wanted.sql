-- assembly_wanted: the spans whose content is read next.
CREATE OR REPLACE TABLE {{ table('assembly_wanted') }} (TraceId String, SpanKey UInt64) ENGINE = Memory
