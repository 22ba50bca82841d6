-- canonical_logged: spans whose log records carry messages.
CREATE OR REPLACE TABLE {{ table('canonical_logged') }} (
    TraceId String,
    SpanId String,
    Until DateTime64(9),                                         -- records after this are left out
    Bytes UInt64,                                                -- of the others
    Cut Bool                                                     -- some are left out
) ENGINE = Memory
