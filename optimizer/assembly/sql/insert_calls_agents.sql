-- Agents (workflows, steps) with messages that no span inside them tells: their own calls were not recorded, or there were none.
INSERT INTO {{ table('assembly_calls') }}
SELECT
    s.N, s.TraceId, s.SpanId, s.SpanKey, s.Start, s.End, 'agent', true, false, if(s.AgentName != '', s.AgentName, s.AgentId),
    s.Model, '', '', s.FinishReason, s.Failed, s.ErrorType
FROM {{ table('assembly_spans') }} AS s
INNER JOIN (
    SELECT TraceId, groupArray((Start, End, SpanId, ParentSpanId, Class = 'llm')) AS Tellers
    FROM {{ table('assembly_spans') }}
    WHERE HasMessages AND Class IN ('llm', 'agent', 'workflow', 'step', 'other')
    GROUP BY TraceId
) AS t ON t.TraceId = s.TraceId
WHERE s.HasMessages AND s.Class IN ('agent', 'workflow', 'step', 'other')
    AND NOT arrayExists(
        x -> x.3 != s.SpanId AND (x.4 = s.SpanId OR (
            x.1 >= s.Start AND x.2 <= s.End AND x.3 != s.ParentSpanId AND (x.5 OR x.1 > s.Start OR x.2 < s.End OR x.3 > s.SpanId))),
        t.Tellers)
