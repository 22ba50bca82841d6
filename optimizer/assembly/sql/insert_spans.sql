-- The spans of the traces at hand, each once.
-- A duration is taken for a week at most: a span that claims centuries must not move its trajectory out of time.
INSERT INTO {{ table('assembly_spans') }}
SELECT
    c.N, g.TraceId, g.SpanId, cityHash64(g.TraceId, g.SpanId), g.ParentSpanId, g.Timestamp, addNanoseconds(g.Timestamp, least(g.Duration, 604800000000000)),
    g.Class, if(k.SpanId != '', k.HasMessages, g.InputMessages IS NOT NULL OR g.OutputMessages IS NOT NULL),
    k.HasResult OR g.ToolResult IS NOT NULL, k.Truncated,
    g.AgentName, g.AgentId, g.AgentVersion, g.Release, g.RunId, g.ServiceName, g.Dialect, g.UserId, g.ConversationId,
    if(g.ResponseModel != '', g.ResponseModel, g.RequestModel), g.ToolName,
    if(k.ToolCallId != '', k.ToolCallId, g.ToolCallId), g.FinishReasons[1],
    g.Status = 'Error' OR g.ErrorType != '', g.ErrorType, g.InputTokens, g.OutputTokens, g.CostUsd
FROM {{ table('genai_spans') }} AS g
INNER JOIN {{ table('assembly_chunk') }} AS c ON c.TraceId = g.TraceId
LEFT JOIN (
    SELECT TraceId, SpanId, ToolCallId, Truncated, ToolResult IS NOT NULL AS HasResult,
        InputMessages IS NOT NULL OR OutputMessages IS NOT NULL AS HasMessages
    FROM {{ table('canonical_messages') }} FINAL
    WHERE TraceId IN (SELECT TraceId FROM {{ table('assembly_chunk') }})
) AS k ON k.TraceId = g.TraceId AND k.SpanId = g.SpanId
WHERE toDate(g.Timestamp) IN (SELECT Day FROM {{ table('assembly_days') }})
    AND g.TraceId IN (SELECT TraceId FROM {{ table('assembly_chunk') }})
LIMIT 1 BY g.TraceId, g.SpanId
