-- Traces that had arrivals since {since:DateTime64(3)}.
INSERT INTO {{ table('assembly_arrivals') }}
SELECT TraceId, toDate(min(Start)), toDate(max(End))
FROM {{ table('trace_arrivals') }}
WHERE ArrivedAt >= {since:DateTime64(3)}
GROUP BY TraceId
