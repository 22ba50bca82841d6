-- Episodes of the chosen experiment (the newest one when none is chosen): pairs of the same scenario stand together.
SELECT
    ScenarioId AS Scenario, Repeat + 1 AS "Repeat", Arm AS Side, State, Score AS "Probability of satisfaction",
    Gold AS "Checked outcome", FirstDivergence AS "Left the record at step", Steps AS "Model calls", CostUsd AS Cost,
    if(empty(TraceIds), '', TraceIds[1]) AS Trace
FROM experiment_runs FINAL
WHERE ExperimentId = (
        SELECT argMax(ExperimentId, StartedAt) FROM experiments FINAL
        WHERE $__conditionalAll(Project = ${project:singlequote}, $project)
            AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
            AND $__conditionalAll(ExperimentId = ${experiment:singlequote}, $experiment)
    )
ORDER BY Scenario, "Repeat", Side, Attempt
LIMIT 500
