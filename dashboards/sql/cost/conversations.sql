-- What a conversation takes, by agent and release; of production only, where tokens and prices are known.
SELECT
    AgentName AS Agent, Release, count() AS Conversations, quantile(0.5)(InputTokens + OutputTokens) AS "Median tokens",
    quantile(0.95)(InputTokens + OutputTokens) AS "95 % within, tokens", quantile(0.5)(CostUsd) AS "Median cost",
    quantile(0.95)(CostUsd) AS "95 % within, cost", countIf(CostUsd IS NULL) AS "Without a price", avg(ModelCalls) AS "Model calls",
    avg(ToolCalls) AS "Tool calls"
FROM trajectories FINAL
WHERE $__timeFilter(Start) AND RunId = '' AND State = 'closed' AND $__conditionalAll(Project = ${project:singlequote}, $project)
    AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
    AND $__conditionalAll(Release IN (${release:singlequote}), $release)
GROUP BY Agent, Release
ORDER BY Conversations DESC, Agent, Release
