-- Models by agent: calls, tokens, cost, speed; of production. Those without any price first, for they hide cost.
SELECT
    multiIf(ResponseModel != '', ResponseModel, RequestModel != '', RequestModel, '(not told)') AS Model, Provider, if(AgentName = '', ServiceName, AgentName) AS Agent,
    count() AS Calls, sum(InputTokens) AS "Tokens in", sum(OutputTokens) AS "Tokens out",
    sum(CacheReadTokens) / sumIf(InputTokens, CacheReadTokens IS NOT NULL) AS "Read from a cache", sum(CostUsd) AS Cost,
    avg(CostUsd) AS "Cost a call", countIf(CostUsd IS NULL) AS "Without a price", countIf(Status = 'Error') / count() AS Failed,
    quantile(0.5)(Duration) AS "Median time", quantile(0.95)(Duration) AS "95 % within"
FROM genai_spans
WHERE $__timeFilter(Timestamp) AND RunId = '' AND Class IN ('llm', 'embedding', 'rerank')
    AND $__conditionalAll(Project = ${project:singlequote}, $project)
    AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
    AND $__conditionalAll(Release IN (${release:singlequote}), $release)
GROUP BY Model, Provider, Agent
ORDER BY Cost IS NULL DESC, Cost DESC, Calls DESC, Model, Agent
