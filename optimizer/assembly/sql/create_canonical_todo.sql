-- canonical_todo: spans whose content is to be rewritten, in chunks of spans that lie together in genai_spans.
CREATE OR REPLACE TABLE {{ table('canonical_todo') }} (
    TraceId String,
    SpanId String,
    Timestamp DateTime64(9),
    Logged Bool,                                                 -- log records carry content too
    Chunk UInt32                                                 -- from 0
) ENGINE = Memory
