-- assembly_histories: of traces that name no conversation, the longest message history told in each, as chains of hashes.
CREATE OR REPLACE TABLE {{ table('assembly_histories') }} (
    TraceId String,
    Project LowCardinality(String),
    Start DateTime64(9),
    HistoryKey UInt64,                                           -- of the history as the trace leaves it; 0 = none
    Prefixes Array(UInt64)                                       -- keys of histories that this one could continue, longest first
) ENGINE = Memory
