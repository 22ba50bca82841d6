-- Spans with a parent that is no GenAI span.
INSERT INTO {{ table('assembly_orphans') }}
SELECT TraceId, SpanKey, cityHash64(TraceId, ParentSpanId) AS ParentKey FROM {{ table('assembly_spans') }}
WHERE ParentSpanId != '' AND ParentKey NOT IN (SELECT SpanKey FROM {{ table('assembly_spans') }})
