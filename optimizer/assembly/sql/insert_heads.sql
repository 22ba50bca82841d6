-- The earliest model call told; where there is none, the earliest agent.
INSERT INTO {{ table('assembly_heads') }}
SELECT N, argMin(TraceId, (Class != 'llm', Start, SpanKey)), argMin(SpanKey, (Class != 'llm', Start, SpanKey))
FROM {{ table('assembly_calls') }} WHERE Told GROUP BY N
