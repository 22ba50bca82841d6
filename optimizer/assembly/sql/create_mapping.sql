-- assembly_mapping: where each arrived trace belongs.
CREATE OR REPLACE TABLE {{ table('assembly_mapping') }} (
    TraceId String, Project LowCardinality(String), TrajectoryId String, Basis LowCardinality(String), ConversationId String,
    HistoryKey UInt64, Start DateTime64(9), End DateTime64(9), Spans UInt32, OldTrajectoryId String
) ENGINE = Memory
