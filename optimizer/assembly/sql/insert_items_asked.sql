-- Tool calls that answers asked for, with the span that ran them, or else the message that answers them: the k-th of an id the k-th.
INSERT INTO {{ table('assembly_items') }}
SELECT m.N, m.Place, 'tool', false, m.Message, x.ToolKey, if(c.HasResult, 0, r.Place)
FROM (
    SELECT N, Place, Message, CallId, row_number() OVER (PARTITION BY N, CallId ORDER BY Place) AS Turn
    FROM {{ table('assembly_told') }} WHERE Kind = 3
) AS m
LEFT JOIN {{ table('assembly_matches') }} AS x ON x.Place = m.Place
LEFT JOIN (SELECT SpanKey, HasResult FROM {{ table('assembly_calls') }} WHERE Class = 'tool') AS c ON c.SpanKey = x.ToolKey
LEFT JOIN (
    SELECT N, CallId, Place, row_number() OVER (PARTITION BY N, CallId ORDER BY Place) AS Turn
    FROM {{ table('assembly_told') }} WHERE Kind = 4
) AS r ON r.N = m.N AND r.CallId = m.CallId AND r.Turn = m.Turn
