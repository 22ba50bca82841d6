-- trajectories: one conversation, or one trace that names none, as it stands after the last assembly.
--
-- Read with FINAL: an assembly writes a new version of a row. Missing is NULL; '' is a label that nothing carried.
CREATE TABLE IF NOT EXISTS {{ table('trajectories') }} {{ on_cluster }} (
    TrajectoryId String CODEC(ZSTD(1)),
    Project LowCardinality(String) CODEC(ZSTD(1)),
    Basis LowCardinality(String) CODEC(ZSTD(1)),                 -- conversation, trace, history (inferred), run (of an experiment)
    ConversationId String CODEC(ZSTD(1)),
    TraceIds Array(String) CODEC(ZSTD(1)),                       -- in order of time
    UserId String CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    AgentName LowCardinality(String) CODEC(ZSTD(1)),             -- of the outermost agent
    AgentId String CODEC(ZSTD(1)),
    AgentVersion LowCardinality(String) CODEC(ZSTD(1)),
    Release LowCardinality(String) CODEC(ZSTD(1)),
    RunId String CODEC(ZSTD(1)),                                 -- of the experiment's run that it is; '' = production
    Models Array(LowCardinality(String)) CODEC(ZSTD(1)),
    Dialects Array(LowCardinality(String)) CODEC(ZSTD(1)),
    Start DateTime64(9) CODEC(Delta, ZSTD(1)),
    End DateTime64(9) CODEC(Delta, ZSTD(1)),
    State LowCardinality(String) CODEC(ZSTD(1)),                 -- open (spans may follow) or closed (idle long enough, or a run)
    System Nullable(String) CODEC(ZSTD(3)),                      -- system instructions of the outermost agent, text
    Opening Nullable(String) CODEC(ZSTD(3)),                     -- first message of the user, text
    Tools Array(LowCardinality(String)) CODEC(ZSTD(1)),          -- tools that the model was offered; empty where not carried
    StepKinds Array(LowCardinality(String)) CODEC(ZSTD(1)),      -- the steps in order, one entry each, as in trajectory_steps
    StepNames Array(LowCardinality(String)) CODEC(ZSTD(1)),
    StepStatuses Array(LowCardinality(String)) CODEC(ZSTD(1)),
    Turns UInt32 CODEC(ZSTD(1)),                                 -- messages of the user
    ModelCalls UInt32 CODEC(ZSTD(1)),
    ToolCalls UInt32 CODEC(ZSTD(1)),
    Errors UInt32 CODEC(ZSTD(1)),                                -- steps whose status is error
    InputTokens Nullable(UInt64) CODEC(ZSTD(1)),
    OutputTokens Nullable(UInt64) CODEC(ZSTD(1)),
    CostUsd Nullable(Float64) CODEC(ZSTD(1)),                    -- NULL where a call's cost is unknown
    Completeness Float32 CODEC(ZSTD(1)),                         -- 0 to 1; see docs/trajectories.md
    Issues Array(LowCardinality(String)) CODEC(ZSTD(1)),         -- missing_parent, missing_content, missing_result, truncated, unfinished, inferred, conflicting_ids
    Version UInt64 CODEC(ZSTD(1)),                               -- milliseconds since 1970 of the assembly
    IsDeleted UInt8 CODEC(ZSTD(1)),                              -- 1: its traces now belong to another trajectory
    INDEX idx_version Version TYPE minmax GRANULARITY 1
) ENGINE = {{ merge_tree('trajectories', 'Replacing', 'Version, IsDeleted') }}
ORDER BY TrajectoryId
{{ ttl('toDateTime(End)') }}
SETTINGS index_granularity = 1024{{ table_settings }}
