-- The spans whose messages hold text of steps.
INSERT INTO {{ table('assembly_wanted') }} SELECT TraceId, SpanKey FROM {{ table('assembly_refs') }}
