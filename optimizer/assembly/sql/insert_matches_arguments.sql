-- Of those without a partner, calls and tool spans of the same name and arguments, in order of time.
INSERT INTO {{ table('assembly_matches') }}
SELECT a.Place, t.SpanKey
FROM (
    SELECT N, Key, Place, row_number() OVER (PARTITION BY N, Key ORDER BY Place) AS Turn
    FROM {{ table('assembly_told') }}
    WHERE Kind = 3 AND Place NOT IN (SELECT Place FROM {{ table('assembly_matches') }})
) AS a
INNER JOIN (
    SELECT N, SpanKey, cityHash64(ToolName, if(isValidJSON(Arguments), JSONExtractRaw(Arguments), Arguments), '') AS Key,
        row_number() OVER (PARTITION BY N, Key ORDER BY Ordinal) AS Turn
    FROM (
        SELECT c.N AS N, c.SpanKey AS SpanKey, any(c.Ordinal) AS Ordinal, any(c.ToolName)::String AS ToolName,
            coalesce(anyIf(w.ToolArguments, w.Canonical), anyIf(w.ToolArguments, NOT w.Canonical), '') AS Arguments
        FROM {{ table('assembly_content') }} AS w
        INNER JOIN {{ table('assembly_calls') }} AS c ON c.SpanKey = w.SpanKey
        GROUP BY c.N, c.SpanKey
    )
) AS t ON t.N = a.N AND t.Key = a.Key AND t.Turn = a.Turn
