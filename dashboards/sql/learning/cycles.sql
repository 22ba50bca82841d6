-- Turns of the loop, stage by stage; the newest first.
SELECT
    StartedAt AS Began, if(Stage = '', 'the whole cycle', Stage) AS Stage, if(AgentName = '', 'all', AgentName) AS Agent, State,
    arrayStringConcat(arrayMap((name, n) -> concat(name, ' ', toString(n)), mapKeys(Counts), mapValues(Counts)), ', ') AS Made,
    arrayStringConcat(Notes, '; ') AS Notes, if(FinishedAt IS NULL, NULL, dateDiff('second', StartedAt, FinishedAt)) AS Took,
    Tokens, CostUsd AS Cost, CycleId AS Cycle
FROM cycles FINAL
WHERE $__timeFilter(StartedAt) AND $__conditionalAll(Project = ${project:singlequote}, $project)
    AND (AgentName = '' OR $__conditionalAll(AgentName IN (${agent:singlequote}), $agent))
ORDER BY max(StartedAt) OVER (PARTITION BY CycleId) DESC, Cycle, Began, Stage
LIMIT 200
