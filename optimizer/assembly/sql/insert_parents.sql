-- Parents that are spans of another kind (a request to a server, say).
INSERT INTO {{ table('assembly_parents') }}
SELECT cityHash64(TraceId, SpanId) AS SpanKey FROM {{ table('otel_traces') }}
WHERE toDate(Timestamp) IN (SELECT Day FROM {{ table('assembly_days') }})
    AND TraceId IN (SELECT TraceId FROM {{ table('assembly_orphans') }})
    AND SpanKey IN (SELECT ParentKey FROM {{ table('assembly_orphans') }})
