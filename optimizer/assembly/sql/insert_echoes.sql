-- Keys of the results of the wanted tool spans, as long as a person would hardly type them.
INSERT INTO {{ table('assembly_echoes') }}
SELECT DISTINCT c.N, cityHash64('', '', trim(assumeNotNull(w.ToolResult)))
FROM {{ table('assembly_content') }} AS w
INNER JOIN {{ table('assembly_calls') }} AS c ON c.SpanKey = w.SpanKey
WHERE length(ifNull(w.ToolResult, '')) >= 24
