-- Tool spans without a partner: their arguments may tell it.
INSERT INTO {{ table('assembly_wanted') }}
SELECT TraceId, SpanKey FROM {{ table('assembly_calls') }}
WHERE Class = 'tool' AND SpanKey NOT IN (SELECT ToolKey FROM {{ table('assembly_matches') }})
