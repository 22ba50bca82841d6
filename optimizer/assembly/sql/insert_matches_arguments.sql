-- Of those without a partner, calls and tool spans of the same name and arguments, in order of time.
INSERT INTO {{ table('assembly_matches') }}
SELECT a.SpanKey, a.Position, t.SpanKey
FROM (
    SELECT N, Key, SpanKey, Position, row_number() OVER (PARTITION BY N, Key ORDER BY Start, SpanKey, Position) AS Place
    FROM {{ table('assembly_told') }}
    WHERE Kind = 3 AND (SpanKey, Position) NOT IN (SELECT SpanKey, Position FROM {{ table('assembly_matches') }})
) AS a
INNER JOIN (
    SELECT N, SpanKey, Key, row_number() OVER (PARTITION BY N, Key ORDER BY Start, SpanKey) AS Place
    FROM (
        SELECT c.N AS N, c.SpanKey AS SpanKey, any(c.Start) AS Start,
            sipHash64(any(c.ToolName)::String, replaceRegexpAll(
                coalesce(anyIf(w.ToolArguments, w.Canonical), anyIf(w.ToolArguments, NOT w.Canonical), ''),
                '\\\\u[0-9a-fA-F]{4}|[^0-9a-zA-Z]+', '')) AS Key
        FROM {{ table('assembly_content') }} AS w
        INNER JOIN {{ table('assembly_calls') }} AS c ON c.SpanKey = w.SpanKey
        GROUP BY c.N, c.SpanKey
    )
) AS t ON t.N = a.N AND t.Key = a.Key AND t.Place = a.Place
