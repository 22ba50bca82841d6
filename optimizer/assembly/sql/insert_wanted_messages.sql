-- The spans whose messages hold the text of steps, and the heads.
INSERT INTO {{ table('assembly_wanted') }}
SELECT TraceId, SpanKey FROM {{ table('assembly_calls') }}
WHERE SpanKey IN (
    SELECT MessageKey FROM {{ table('assembly_steps') }} WHERE Message > 0
    UNION ALL SELECT ResponseKey FROM {{ table('assembly_steps') }} WHERE ResponseKey > 0
    UNION ALL SELECT SpanKey FROM {{ table('assembly_heads') }})
