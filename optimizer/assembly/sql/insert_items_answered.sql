-- Answers of tools whose call nothing tells.
INSERT INTO {{ table('assembly_items') }}
SELECT N, Place, 'tool', false, 0, 0, Place
FROM {{ table('assembly_told') }}
WHERE Kind = 4 AND CallId != 0
    AND (N, CallId) NOT IN (SELECT N, CallId FROM {{ table('assembly_told') }} WHERE Kind = 3)
    AND (N, CallId) NOT IN (SELECT N, cityHash64(ToolCallId) FROM {{ table('assembly_calls') }} WHERE ToolCallId != '')
