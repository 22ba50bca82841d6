-- Tool calls that answers asked for, with the span that ran them, or else the message that answers them.
INSERT INTO {{ table('assembly_items') }}
SELECT
    m.N, m.Start, m.SpanKey, m.Position, 'tool', c.Agent, m.Name, m.CallId,
    multiIf(x.ToolKey = 0, '', t.Failed, 'error', 'ok'), t.ErrorType, '', if(m.Side = 1, c.Model, ''),
    if(x.ToolKey = 0, if(m.Side = 1, c.End, c.Start), t.Start),
    if(x.ToolKey = 0, NULL, toUInt64(dateDiff('nanosecond', t.Start, t.End))),
    if(x.ToolKey = 0, c.TraceId, t.TraceId), if(x.ToolKey = 0, c.SpanId, t.SpanId),
    m.Side, m.Message, m.Part, x.ToolKey,
    if(t.HasResult, 0, r.SpanKey), r.Message, r.Part
FROM (
    SELECT *, row_number() OVER (PARTITION BY N, CallId ORDER BY Start, SpanKey, Position) AS Place
    FROM {{ table('assembly_told') }} WHERE Kind = 3
) AS m
INNER JOIN {{ table('assembly_calls') }} AS c ON c.SpanKey = m.SpanKey
LEFT JOIN {{ table('assembly_matches') }} AS x ON x.SpanKey = m.SpanKey AND x.Position = m.Position
LEFT JOIN (SELECT * FROM {{ table('assembly_calls') }} WHERE Class = 'tool') AS t ON t.SpanKey = x.ToolKey
LEFT JOIN (SELECT * FROM {{ table('assembly_told') }} WHERE Kind = 4) AS r ON r.N = m.N AND r.CallId = m.CallId AND r.Nth = m.Place
