-- Calls and tool spans of the same id; ids may be used again, so the k-th call meets the k-th span.
INSERT INTO {{ table('assembly_matches') }}
SELECT a.Place, t.ToolKey
FROM (
    SELECT N, CallId, Place, row_number() OVER (PARTITION BY N, CallId ORDER BY Place) AS Turn
    FROM {{ table('assembly_told') }}
    WHERE Kind = 3 AND CallId != 0
) AS a
INNER JOIN (
    SELECT N, cityHash64(ToolCallId) AS CallId, SpanKey AS ToolKey, row_number() OVER (PARTITION BY N, ToolCallId ORDER BY Ordinal) AS Turn
    FROM {{ table('assembly_calls') }}
    WHERE Class = 'tool' AND ToolCallId != ''
) AS t ON t.N = a.N AND t.CallId = a.CallId AND t.Turn = a.Turn
