-- Calls and tool spans of the same id; ids may be used again, so the k-th call meets the k-th span.
INSERT INTO {{ table('assembly_matches') }}
SELECT a.SpanKey, a.Position, t.ToolKey
FROM (
    SELECT N, CallId, SpanKey, Position, row_number() OVER (PARTITION BY N, CallId ORDER BY Start, SpanKey, Position) AS Place
    FROM {{ table('assembly_told') }}
    WHERE Kind = 3 AND CallId != ''
) AS a
INNER JOIN (
    SELECT N, ToolCallId, SpanKey AS ToolKey, row_number() OVER (PARTITION BY N, ToolCallId ORDER BY Start, SpanKey) AS Place
    FROM {{ table('assembly_calls') }}
    WHERE Class = 'tool' AND ToolCallId != ''
) AS t ON t.N = a.N AND t.ToolCallId = a.CallId AND t.Place = a.Place
