-- assembly_members: every trace of every trajectory to be written, mapped now or before.
CREATE OR REPLACE TABLE {{ table('assembly_members') }} (
    N UInt32,                                                    -- of the trajectory, from 0, in order of its day
    TrajectoryId String,
    TraceId String,
    Project LowCardinality(String),
    Basis LowCardinality(String),
    ConversationId String,
    HistoryKey UInt64,
    Start DateTime64(9),
    End DateTime64(9),
    Spans UInt32,
    Mapped Bool                                                  -- by this analysis
) ENGINE = Memory
