-- assembly_arrivals: traces that are new or have new spans or logs, and the days that hold those.
CREATE OR REPLACE TABLE {{ table('assembly_arrivals') }} (TraceId String, FirstDay Date, LastDay Date) ENGINE = Memory
