-- Model calls (of one in another, two instrumentations of the same, the inner), tool and retrieval spans, with the acting agent.
INSERT INTO {{ table('assembly_calls') }}
SELECT
    s.N, s.TraceId, s.SpanId, s.SpanKey, s.Start, s.End, s.Class,
    s.Class = 'llm' AND s.HasMessages, s.HasResult,
    multiIf(
        s.AgentName != '', s.AgentName,
        empty(a.Agents), '',
        arrayExists(x -> x.3 = s.ParentSpanId, a.Agents), arrayFirst(x -> x.3 = s.ParentSpanId, a.Agents).4,
        arrayLast(x -> x.1 <= s.Start AND x.2 >= s.End, a.Agents).4),
    s.Model, s.ToolName, s.ToolCallId, s.FinishReason, s.Failed, s.ErrorType
FROM {{ table('assembly_spans') }} AS s
LEFT JOIN (
    SELECT TraceId, arraySort(groupArray((Start, End, SpanId, AgentName::String))) AS Agents
    FROM {{ table('assembly_spans') }}
    WHERE Class IN ('agent', 'workflow', 'step') AND AgentName != ''
    GROUP BY TraceId
) AS a ON a.TraceId = if(s.AgentName = '', s.TraceId, '')
WHERE s.Class IN ('llm', 'tool', 'retrieval')
    AND NOT (s.Class = 'llm' AND s.SpanKey IN (
        SELECT cityHash64(TraceId, ParentSpanId) FROM {{ table('assembly_spans') }} WHERE Class = 'llm' AND HasMessages))
