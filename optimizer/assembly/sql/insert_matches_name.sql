-- Of those still without a partner, calls and tool spans of the same name in the same trace, in order of time.
INSERT INTO {{ table('assembly_matches') }}
SELECT a.Place, t.SpanKey
FROM (
    SELECT c.TraceId AS TraceId, m.Name AS Name, m.Place AS Place,
        row_number() OVER (PARTITION BY c.TraceId, m.Name ORDER BY m.Place) AS Turn
    FROM {{ table('assembly_told') }} AS m
    INNER JOIN {{ table('assembly_calls') }} AS c ON c.Ordinal = bitShiftRight(m.Place, 20)
    WHERE m.Kind = 3 AND m.Place NOT IN (SELECT Place FROM {{ table('assembly_matches') }})
) AS a
INNER JOIN (
    SELECT TraceId, cityHash64(ToolName::String) AS Name, SpanKey, row_number() OVER (PARTITION BY TraceId, ToolName ORDER BY Ordinal) AS Turn
    FROM {{ table('assembly_calls') }}
    WHERE Class = 'tool' AND SpanKey NOT IN (SELECT ToolKey FROM {{ table('assembly_matches') }})
) AS t ON t.TraceId = a.TraceId AND t.Name = a.Name AND t.Turn = a.Turn
