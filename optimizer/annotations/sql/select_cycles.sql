-- Cycles that ended since or of whose candidates a release was touched since, and their stages.
--
-- Parameters: since_ms Int64. Rows: CycleId, Stage ('' = the whole cycle), Project, AgentName, State, Counts, Notes, Tokens, CostUsd,
-- CpuSeconds, start and end in Unix milliseconds. By start of the cycle, then of the stage.
SELECT
    CycleId, Stage, Project, AgentName, State, Counts, Notes, Tokens, CostUsd, CpuSeconds, toUnixTimestamp64Milli(StartedAt) AS StartMs,
    toUnixTimestamp64Milli(assumeNotNull(FinishedAt)) AS EndMs
FROM {{ table('cycles') }} FINAL
WHERE FinishedAt IS NOT NULL AND CycleId IN (
    SELECT CycleId FROM {{ table('cycles') }} FINAL
    WHERE Stage = '' AND (FinishedAt >= fromUnixTimestamp64Milli({since_ms:Int64}) OR FinishedAt IS NOT NULL AND CycleId IN (
        SELECT CycleId FROM {{ table('candidates') }} FINAL
        WHERE CandidateId IN (
            SELECT CandidateId FROM {{ table('releases') }} FINAL
            WHERE CandidateId != '' AND ReleaseId IN (
                SELECT ReleaseId FROM {{ table('release_events') }} WHERE RecordedAt >= fromUnixTimestamp64Milli({since_ms:Int64})
            )
        )
    ))
)
ORDER BY min(StartMs) OVER (PARTITION BY CycleId), CycleId, Stage, StartMs, Project, AgentName
