-- Model calls (of one in another, two instrumentations of the same, the inner), tool and retrieval spans, with the acting agent;
-- and agents (workflows, steps) with messages. Where no span inside tells messages, they tell them (agent): calls were not recorded,
-- or there were none. Else they may tell how it ended (ending).
INSERT INTO {{ table('assembly_calls') }}
WITH
    acting AS (
        SELECT
            s.*, s.Class AS Role, s.Class = 'llm' AND s.HasMessages AS Told,
            multiIf(
                s.AgentName != '', s.AgentName,
                empty(a.Agents), '',
                arrayExists(x -> x.3 = s.ParentSpanId, a.Agents), arrayFirst(x -> x.3 = s.ParentSpanId, a.Agents).4,
                arrayLast(x -> x.1 <= s.Start AND x.2 >= s.End, a.Agents).4) AS Agent
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
    ),
    speaking AS (
        SELECT
            s.* EXCEPT Start,
            arrayExists(
                x -> x.3 != s.SpanId AND (x.4 = s.SpanId OR (x.1 >= s.Start AND x.2 <= s.End AND x.3 != s.ParentSpanId
                    AND (x.5 OR x.1 > s.Start OR x.2 < s.End OR x.3 > s.SpanId))),
                t.Tellers) AS ToldInside,
            if(ToldInside, s.End, s.Start) AS Start,
            if(ToldInside, 'ending', 'agent') AS Role, true AS Told, if(s.AgentName != '', s.AgentName, s.AgentId) AS Agent
        FROM {{ table('assembly_spans') }} AS s
        INNER JOIN (
            SELECT TraceId, groupArray((Start, End, SpanId, ParentSpanId, Class = 'llm')) AS Tellers
            FROM {{ table('assembly_spans') }}
            WHERE HasMessages AND Class IN ('llm', 'agent', 'workflow', 'step', 'other')
            GROUP BY TraceId
        ) AS t ON t.TraceId = s.TraceId
        WHERE s.HasMessages AND s.Class IN ('agent', 'workflow', 'step', 'other')
    )
SELECT
    row_number() OVER (ORDER BY Start, SpanKey), N, TraceId, SpanId, SpanKey, Start, End, Role, Told, HasResult, Agent, Model,
    if(Role = 'tool', ToolName, ''), ToolCallId, FinishReason, Failed, ErrorType
FROM (
    SELECT N, TraceId, SpanId, SpanKey, Start, End, Role, Told, HasResult, Agent, Model, ToolName, ToolCallId, FinishReason, Failed, ErrorType
    FROM acting
    UNION ALL
    SELECT N, TraceId, SpanId, SpanKey, Start, End, Role, Told, HasResult, Agent, Model, ToolName, ToolCallId, FinishReason, Failed, ErrorType
    FROM speaking
)
