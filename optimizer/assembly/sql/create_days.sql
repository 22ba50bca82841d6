-- assembly_days: partitions of genai_spans that hold the traces at hand.
CREATE OR REPLACE TABLE {{ table('assembly_days') }} (Day Date) ENGINE = Memory
