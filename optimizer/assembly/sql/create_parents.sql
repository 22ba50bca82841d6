-- assembly_parents: parents of these that were found among all spans.
CREATE OR REPLACE TABLE {{ table('assembly_parents') }} (SpanKey UInt64) ENGINE = Memory
