-- canonical_logged: spans whose log records carry messages.
CREATE OR REPLACE TABLE {{ table('canonical_logged') }} (TraceId String, SpanId String) ENGINE = Memory
