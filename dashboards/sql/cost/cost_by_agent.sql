-- US dollars by agent, of production; calls without a price are left out. Rows: time, agent, dollars; by time.
SELECT
    $__timeInterval(Timestamp) AS time, if(AgentName = '', ServiceName, AgentName) AS Agent, sum(CostUsd) AS Value
FROM genai_spans
WHERE $__timeFilter(Timestamp) AND RunId = '' AND Class IN ('llm', 'embedding', 'rerank')
    AND $__conditionalAll(Project = ${project:singlequote}, $project)
    AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
    AND $__conditionalAll(Release IN (${release:singlequote}), $release)
GROUP BY time, Agent
HAVING Value IS NOT NULL
ORDER BY time, Agent
