-- failure_patterns: recurring failures, a row per pattern and version; the highest version is how it stands. Read with FINAL.
CREATE TABLE IF NOT EXISTS {{ table('failure_patterns') }} {{ on_cluster }} (
    PatternId String CODEC(ZSTD(1)),                             -- stable over analyses
    Project LowCardinality(String) CODEC(ZSTD(1)),
    Title String CODEC(ZSTD(1)),
    Explanation String CODEC(ZSTD(1)),
    NamedBy LowCardinality(String) CODEC(ZSTD(1)),               -- template, or the model that wrote title and explanation
    Category LowCardinality(String) CODEC(ZSTD(1)),              -- context_gap, tool_selection, tool_arguments, tool_failure_handling, loop, hallucination, termination, verification, instruction_violation, handoff, environment
    MastCodes Array(LowCardinality(String)) CODEC(ZSTD(1)),
    TrailCodes Array(LowCardinality(String)) CODEC(ZSTD(1)),
    State LowCardinality(String) CODEC(ZSTD(1)),                 -- new, open, mitigated, resolved, regressed
    Predicate String CODEC(ZSTD(1)),                             -- JSON, applicable to any trajectory
    Agents Array(LowCardinality(String)) CODEC(ZSTD(1)),
    Members UInt64 CODEC(ZSTD(1)),
    Prevalence Float64 CODEC(ZSTD(1)),                           -- share of complete trajectories
    Trend Nullable(Float64) CODEC(ZSTD(1)),                      -- change of prevalence, newer half against older half
    Lift Nullable(Float64) CODEC(ZSTD(1)),                       -- rise in dissatisfaction within stratum and agent, in probability; NULL unless outcomes exist
    LiftLow Nullable(Float64) CODEC(ZSTD(1)),
    LiftHigh Nullable(Float64) CODEC(ZSTD(1)),
    LiftBasis LowCardinality(String) CODEC(ZSTD(1)),             -- labels, outcome association (too little varied for a lift), score association
    PValue Nullable(Float64) CODEC(ZSTD(1)),
    QValue Nullable(Float64) CODEC(ZSTD(1)),                     -- after control of the false-discovery rate
    MarginalLift Nullable(Float64) CODEC(ZSTD(1)),               -- the naive figure, for comparison
    TypicalStep Nullable(Float64) CODEC(ZSTD(1)),                -- median of the first deviating step
    CoOccurring Array(Tuple(pattern_id String, share Float64)) CODEC(ZSTD(1)),
    FirstSeen DateTime64(3) CODEC(Delta, ZSTD(1)),
    LastSeen DateTime64(3) CODEC(Delta, ZSTD(1)),
    AnalysisId String CODEC(ZSTD(1)),
    Version UInt64 CODEC(ZSTD(1)),
    IsDeleted UInt8 CODEC(ZSTD(1))
) ENGINE = {{ merge_tree('failure_patterns', 'Replacing', 'Version, IsDeleted') }}
ORDER BY PatternId
SETTINGS index_granularity = 1024{{ table_settings }}
