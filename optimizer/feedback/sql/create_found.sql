-- feedback_found: what carriers tell, in the words of gen_ai.evaluation.*; made anew for each extraction and dropped after it.
CREATE TABLE {{ table('feedback_found') }} (
    Project String,
    TraceId String,                                              -- the target; '' where none is named
    SpanId String,
    Attributes Map(String, String),                              -- only the keys of spanloop.optimizer.feedback.rules.FIELDS
    Carrier String,
    Timestamp DateTime64(9),
    ArrivedAt DateTime64(9)                                      -- by our clock; 1970 where it is not known
) ENGINE = MergeTree
ORDER BY tuple()
