-- What both sides of the chosen experiment (the newest one when none is chosen) came to, every attempt counted.
SELECT
    Arm AS Side, count() AS Episodes, countIf(State = 'finished') AS Finished, countIf(State = 'infrastructure') AS Lost,
    countIf(Score IS NOT NULL) AS Judged, avg(Score) AS Satisfied, avg(Coverage) AS "Tool calls answered from the record",
    avg(Steps) AS "Model calls an episode", quantile(0.5)(LatencyMs) AS "Median time", avg(CostUsd) AS "Cost an episode"
FROM experiment_runs FINAL
WHERE ExperimentId = (
        SELECT argMax(ExperimentId, StartedAt) FROM experiments FINAL
        WHERE $__conditionalAll(Project = ${project:singlequote}, $project)
            AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
            AND $__conditionalAll(ExperimentId = ${experiment:singlequote}, $experiment)
    )
GROUP BY Side
ORDER BY Side
