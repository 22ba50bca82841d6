-- The learning curve: what each cycle spent on experiments, and what came of it.
--
-- Parameters: agent:String ('' = all). Rows: cycle, began, experiments at the gate, tokens and US dollars of all its
-- experiments (NULL = a price is unknown), ships, of those: survived on fresh traffic, refuted there, not judged yet.
-- Oldest first. Experiments outside cycles count as one cycle with the id ''.
SELECT
    e.CycleId, min(e.StartedAt) AS Began, countIf(e.Purpose = 'gate') AS Experiments,
    sum(e.Tokens) AS Tokens, if(countIf(e.CostUsd IS NULL) > 0, NULL, sum(e.CostUsd)) AS CostUsd,
    countIf(e.Purpose = 'gate' AND e.Verdict = 'ship') AS Ships,
    countIf(e.Purpose = 'gate' AND e.Verdict = 'ship' AND t.SurvivedFresh = 1) AS Survived,
    countIf(e.Purpose = 'gate' AND e.Verdict = 'ship' AND t.SurvivedFresh = 0) AS Refuted
FROM {{ table('experiments') }} AS e FINAL
LEFT JOIN (
    SELECT ExperimentId, any(SurvivedFresh) AS SurvivedFresh
    FROM {{ table('strategy_trials') }} FINAL
    GROUP BY ExperimentId
) AS t ON t.ExperimentId = e.ExperimentId
WHERE e.State = 'decided' AND ({agent:String} = '' OR e.AgentName = {agent:String})
GROUP BY e.CycleId
ORDER BY Began, e.CycleId
