-- What models used and cost in production, in the time shown. One row; calls without a price are counted, not guessed.
SELECT
    count() AS "Model calls", sum(InputTokens) AS "Tokens in", sum(OutputTokens) AS "Tokens out",
    sum(CacheReadTokens) / sumIf(InputTokens, CacheReadTokens IS NOT NULL) AS "Read from a cache",
    sum(CostUsd) AS Cost, countIf(CostUsd IS NULL) AS "Calls without a price"
FROM genai_spans
WHERE $__timeFilter(Timestamp) AND RunId = '' AND Class IN ('llm', 'embedding', 'rerank')
    AND $__conditionalAll(Project = ${project:singlequote}, $project)
    AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
    AND $__conditionalAll(Release IN (${release:singlequote}), $release)
