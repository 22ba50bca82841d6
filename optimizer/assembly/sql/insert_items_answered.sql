-- Answers of tools whose call nothing tells.
INSERT INTO {{ table('assembly_items') }}
SELECT
    m.N, m.Start, m.SpanKey, m.Position, 'tool', c.Agent, '', m.CallId, '', '', '', '', m.Start, NULL,
    c.TraceId, c.SpanId, m.Side, 0, 0, 0, m.SpanKey, m.Message, m.Part
FROM {{ table('assembly_told') }} AS m
INNER JOIN {{ table('assembly_calls') }} AS c ON c.SpanKey = m.SpanKey
WHERE m.Kind = 4 AND m.CallId != '' AND (m.N, m.CallId) NOT IN (SELECT N, CallId FROM {{ table('assembly_items') }} WHERE Kind = 'tool')
