-- What was tried against what, whether or not a strategy came of it. Effects are on the pattern's own scenarios.
SELECT
    Category, Intervention AS Change, count() AS Trials, countIf(Verdict = 'ship') AS Wins, countIf(Harm = 1) AS "Did harm",
    uniqExact(AgentName) AS Agents, avg(Effect) AS "Mean effect", avg(SideEffect) AS "Mean effect on other traffic",
    sum(Tokens) AS Tokens, if(countIf(CostUsd IS NULL) > 0, NULL, sum(CostUsd)) AS Cost
FROM strategy_trials FINAL
WHERE $__timeFilter(RecordedAt) AND $__conditionalAll(Project = ${project:singlequote}, $project)
    AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
GROUP BY Category, Change
ORDER BY Wins DESC, Trials DESC, Category, Change
