-- feedback_read: what was found, as columns of assessments, before its numbers have a scale; made anew for each extraction.
CREATE TABLE {{ table('feedback_read') }} (
    AssessmentId String,
    Project String,
    TraceId String,
    SpanId String,
    ConversationId String,
    Source String,
    Name String,
    Score Nullable(Float64),
    Label String,
    Explanation Nullable(String),
    Assessor String,
    AssessorVersion String,
    Selection String,
    SelectionProbability Nullable(Float64),
    SampleId String,
    Carrier String,
    Timestamp DateTime64(9),
    Version UInt64,
    IsDeleted UInt8,
    Says Nullable(Float64),                                      -- satisfaction that the label tells
    Directional Bool,                                            -- the name tells that more is better
    Rated Bool                                                   -- the name tells of a rating, perhaps 1 to 5
) ENGINE = MergeTree
ORDER BY tuple()
