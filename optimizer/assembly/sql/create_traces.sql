-- assembly_traces: what the spans of each arrived trace say about where it belongs.
CREATE OR REPLACE TABLE {{ table('assembly_traces') }} (
    TraceId String,
    Project LowCardinality(String),
    ConversationId String,                                       -- of the outermost, then the earliest span; '' = none
    RunId String,                                                -- the same; '' = production
    Start DateTime64(9),
    End DateTime64(9),
    Spans UInt32,
    OldTrajectoryId String,                                      -- where an earlier assembly put it; '' = nowhere
    OldBasis LowCardinality(String)
) ENGINE = Memory
