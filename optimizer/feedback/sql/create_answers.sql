-- feedback_answers: the model calls that results name by nothing but their response id; made anew for each extraction.
CREATE TABLE {{ table('feedback_answers') }} (
    Project String,
    ResponseId String,
    TraceId String,
    SpanId String
) ENGINE = Memory
