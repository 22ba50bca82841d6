-- Runs of an experiment that have ended.
--
-- Parameters: experiment String. Rows: RunId, Project, ScenarioId, Arm, Repeat, Attempt, State, ErrorKind, TraceIds, Score, Steps, InputTokens,
-- OutputTokens, CostUsd, start and end in Unix milliseconds. By start, id.
SELECT
    RunId, Project, ScenarioId, Arm, Repeat, Attempt, State, ErrorKind, TraceIds, Score, Steps, InputTokens, OutputTokens, CostUsd,
    toUnixTimestamp64Milli(StartedAt) AS StartMs, toUnixTimestamp64Milli(assumeNotNull(FinishedAt)) AS EndMs
FROM {{ table('experiment_runs') }} FINAL
WHERE ExperimentId = {experiment:String} AND FinishedAt IS NOT NULL
ORDER BY StartMs, RunId
