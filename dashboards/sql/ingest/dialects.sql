-- How GenAI spans were understood, and what they lack; messages and tokens are asked for of model calls only.
SELECT
    Dialect AS "Convention", Class, count() AS Spans, uniqExact(ServiceName) AS Services,
    if(Class = 'llm', countIf(InputMessages IS NULL AND EventMessages IS NULL AND Input IS NULL) / count(), NULL) AS "Without messages",
    if(Class = 'llm', countIf(InputTokens IS NULL) / count(), NULL) AS "Without tokens",
    if(Class IN ('llm', 'agent'), countIf(ConversationId = '') / count(), NULL) AS "Without a conversation id"
FROM genai_spans
WHERE $__timeFilter(Timestamp) AND $__conditionalAll(Project = ${project:singlequote}, $project)
GROUP BY Dialect, Class
ORDER BY Spans DESC
