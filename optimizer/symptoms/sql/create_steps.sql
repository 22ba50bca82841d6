-- symptom_steps: the steps of one chunk, with what every symptom asks of a step and of its neighbours.
CREATE OR REPLACE TABLE {{ table('symptom_steps') }} (
    Scope UInt64,                                                -- hash of project and agent: whose steps are comparable
    TrajectoryId String,
    Step UInt32,
    Last UInt32,                                                 -- step of the trajectory
    Turn UInt32,                                                 -- messages of the user up to here
    Kind LowCardinality(String),
    Agent LowCardinality(String),
    Name LowCardinality(String),
    Status LowCardinality(String),
    FinishReason LowCardinality(String),
    Says Array(LowCardinality(String)),                          -- phrases in the text (phrases.py)
    Closing Array(LowCardinality(String)),                       -- phrases in its last 240 bytes
    Ending String,                                               -- its last line
    Length UInt32,                                               -- bytes
    Sketch UInt64,                                               -- near texts differ in few bits; 0 = no text
    Hash UInt64,                                                 -- of name and arguments
    ResultHash UInt64,
    Answered UInt8,                                              -- of a call: 0 no result is told, 1 an empty one, 2 a result
    Hollow UInt8,                                                -- its result is JSON that holds nothing: [], {"found": [], "count": 0}
    Changes Int8,                                                -- of a call: 1 it changes something, 0 unknown, -1 it only reads
    Keys Array(String),                                          -- of its arguments
    Arguments Array(Tuple(key String, value String, echoed UInt8)), -- strings that are one word; whether the result holds them
    Values Array(String),                                        -- all words among its arguments, nested ones too
    Words Array(String),                                         -- words with a digit that were said, or that the tool answered
    Amounts Array(Int64),                                        -- hundredths: of money that the agent names
    Quantities Array(String),                                    -- numbers of days, hours, percent … that the agent names
    Offered UInt8,                                               -- to the model: 0 it was not, 1 it was, or what was offered is not told
    Valid UInt8,                                                 -- its arguments are JSON, or not carried
    Error String,                                                -- template of an error; '' = none
    PreviousKind LowCardinality(String),
    PreviousHash UInt64,
    PreviousResult UInt64,
    NextKind LowCardinality(String),
    NextName LowCardinality(String),
    ReplyStep UInt32,                                            -- next text of the agent within 6 steps; 0 = none
    ReplyAdmits UInt8,                                           -- it begins with an admission, or hands over
    ReplyDone UInt8,                                             -- it says that something is done
    TraceId String,
    SpanId String
) ENGINE = Memory
