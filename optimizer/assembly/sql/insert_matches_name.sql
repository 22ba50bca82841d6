-- Of those still without a partner, calls and tool spans of the same name in the same trace, in order of time.
INSERT INTO {{ table('assembly_matches') }}
SELECT a.SpanKey, a.Position, t.SpanKey
FROM (
    SELECT c.TraceId AS TraceId, m.Name AS Name, m.SpanKey AS SpanKey, m.Position AS Position,
        row_number() OVER (PARTITION BY c.TraceId, m.Name ORDER BY m.Start, m.SpanKey, m.Position) AS Place
    FROM {{ table('assembly_told') }} AS m
    INNER JOIN {{ table('assembly_calls') }} AS c ON c.SpanKey = m.SpanKey
    WHERE m.Kind = 3 AND (m.SpanKey, m.Position) NOT IN (SELECT SpanKey, Position FROM {{ table('assembly_matches') }})
) AS a
INNER JOIN (
    SELECT TraceId, ToolName, SpanKey, row_number() OVER (PARTITION BY TraceId, ToolName ORDER BY Start, SpanKey) AS Place
    FROM {{ table('assembly_calls') }}
    WHERE Class = 'tool' AND SpanKey NOT IN (SELECT ToolKey FROM {{ table('assembly_matches') }})
) AS t ON t.TraceId = a.TraceId AND t.ToolName = a.Name AND t.Place = a.Place
