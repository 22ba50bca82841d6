-- Tokens in and out by model, of production. Rows: time, model, tokens; by time.
SELECT
    $__timeInterval(Timestamp) AS time, multiIf(ResponseModel != '', ResponseModel, RequestModel != '', RequestModel, '(not told)') AS Model,
    sum(ifNull(InputTokens, 0) + ifNull(OutputTokens, 0)) AS Value
FROM genai_spans
WHERE $__timeFilter(Timestamp) AND RunId = '' AND Class IN ('llm', 'embedding', 'rerank')
    AND (InputTokens IS NOT NULL OR OutputTokens IS NOT NULL)
    AND $__conditionalAll(Project = ${project:singlequote}, $project)
    AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
    AND $__conditionalAll(Release IN (${release:singlequote}), $release)
GROUP BY time, Model
ORDER BY time, Model
