-- The spans that ran a step: tools, retrievals, failed calls.
INSERT INTO {{ table('assembly_wanted') }}
SELECT TraceId, SpanKey FROM {{ table('assembly_calls') }}
WHERE SpanKey IN (SELECT ToolKey FROM {{ table('assembly_numbered') }} WHERE ToolKey > 0)
