-- What users and assistants said.
INSERT INTO {{ table('assembly_items') }}
SELECT
    m.N, m.Start, m.SpanKey, m.Position, if(m.Kind = 1, 'user', 'assistant'),
    multiIf(m.Kind = 1, '', m.Side = 0 AND m.Name != '', m.Name, c.Agent), '', '', '', '',
    if(m.Side = 1, c.FinishReason, ''), if(m.Side = 1, c.Model, ''),
    if(m.Side = 1, c.End, m.Start), if(m.Side = 1, toUInt64(dateDiff('nanosecond', c.Start, c.End)), NULL),
    c.TraceId, c.SpanId, m.Side, m.Message, m.Part, 0, 0, 0, 0
FROM {{ table('assembly_told') }} AS m
INNER JOIN {{ table('assembly_calls') }} AS c ON c.SpanKey = m.SpanKey
WHERE m.Kind IN (1, 2) AND NOT (m.Side = 0 AND m.Kind = 1 AND (m.N, m.Key) IN (SELECT N, Key FROM {{ table('assembly_echoes') }}))
