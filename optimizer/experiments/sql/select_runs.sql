-- Episodes of the experiment {id:String} ('' = validity replays) of the scenarios {scenarios:Array(String)} (empty = of all), in the columns
-- of spanloop.optimizer.experiments.storing. By scenario, arm, repeat, attempt.
SELECT
    RunId, ExperimentId, Project, ScenarioId, ScenarioVersion, Arm, Repeat, Attempt, ConfigurationHash, State, ErrorKind,
    TrajectoryId, TraceIds, Score, SecondScore, Gold, IsGold, AssessorVersion, Tiers, FirstDivergence, Steps,
    InputTokens, OutputTokens, CostUsd, LatencyMs, toUnixTimestamp64Milli(StartedAt) AS StartedMs,
    toUnixTimestamp64Milli(ifNull(FinishedAt, StartedAt)) AS FinishedMs, Version
FROM {{ table('experiment_runs') }} FINAL
WHERE ExperimentId = {id:String} AND (empty({scenarios:Array(String)}) OR has({scenarios:Array(String)}, ScenarioId))
ORDER BY ScenarioId, Arm, Repeat, Attempt
