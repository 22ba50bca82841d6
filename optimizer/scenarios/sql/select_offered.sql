-- The tools that a model was offered in each of {traces:Array(String)}, as the longest list that a span of it carries.
--
-- Rows: TraceId, ToolDefinitions (JSON text as carried, cut to {chars:UInt64} characters).
SELECT TraceId, substringUTF8(argMax(assumeNotNull(ToolDefinitions), length(ToolDefinitions)), 1, {chars:UInt64}) AS Offered
FROM {{ table('genai_spans') }}
WHERE TraceId IN {traces:Array(String)} AND ToolDefinitions != ''
GROUP BY TraceId
ORDER BY TraceId
