-- What spans say about each step: the one that ran it where there is one, else the call whose message tells it. A call to
-- transfer is a handoff when the agent that it names acts next.
INSERT INTO {{ table('assembly_steps') }}
SELECT
    N, Step, if(HandedTo != '', 'handoff', Kind), Agent, if(HandedTo != '', HandedTo, Name), CallId, Status, ErrorType,
    FinishReason, Model, Timestamp, DurationNs, TraceId, SpanId, HasResult
FROM (
    SELECT *,
        leadInFrame(Agent) OVER (PARTITION BY N ORDER BY Step ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) AS NextAgent,
        if(Kind = 'tool' AND NextAgent NOT IN ('', Agent) AND match(lower(Name), '^(transfer|hand_?-?off|delegate)')
            AND position(replaceRegexpAll(lower(Name), '[^0-9a-z]', ''), replaceRegexpAll(lower(NextAgent), '[^0-9a-z]', '')) > 0,
           NextAgent, '') AS HandedTo
    FROM (
        SELECT
            i.N AS N, i.Step AS Step, i.Kind::String AS Kind,
            bitAnd(i.Place, 1048575) > 524288 AS Answer,
            i.ToolKey != 0 AND i.Kind IN ('tool', 'retrieval') AS Ran,
            multiIf(i.Kind = 'user', '', i.Named, b.Told, c.Agent)::String AS Agent,
            multiIf(i.Kind != 'tool', if(i.Kind = 'retrieval', t.ToolName, ''), b.Told != '', b.Told, t.ToolName)::String AS Name,
            if(b.Id != '', b.Id, t.ToolCallId) AS CallId,
            multiIf(i.Kind = 'failure', 'error', NOT Ran, '', t.Failed, 'error', 'ok') AS Status,
            multiIf(i.Kind = 'failure', c.ErrorType, Ran, t.ErrorType, '') AS ErrorType,
            if(i.Kind = 'assistant' AND Answer, c.FinishReason, '') AS FinishReason,
            if(Answer AND i.Kind != 'user', c.Model, '') AS Model,
            multiIf(Ran, t.Start, Answer AND i.Kind != 'failure', c.End, c.Start) AS Timestamp,
            multiIf(Ran, toUInt64(dateDiff('nanosecond', t.Start, t.End)),
                Answer AND i.Kind IN ('assistant', 'failure'), toUInt64(dateDiff('nanosecond', c.Start, c.End)), NULL) AS DurationNs,
            if(Ran, t.TraceId, c.TraceId) AS TraceId, if(Ran, t.SpanId, c.SpanId) AS SpanId,
            t.HasResult OR i.Response != 0 AS HasResult
        FROM {{ table('assembly_numbered') }} AS i
        INNER JOIN {{ table('assembly_calls') }} AS c ON c.Ordinal = bitShiftRight(i.Place, 20)
        LEFT JOIN {{ table('assembly_calls') }} AS t ON t.SpanKey = i.ToolKey
        LEFT JOIN (
            SELECT N, Step, max(Name::String) AS Told, max(CallId) AS Id FROM {{ table('assembly_bodies') }}
            WHERE Name != '' OR CallId != '' GROUP BY N, Step
        ) AS b ON b.N = i.N AND b.Step = i.Step
    )
)
