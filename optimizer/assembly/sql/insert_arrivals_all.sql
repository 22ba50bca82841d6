-- Every stored trace, for the first assembly: spans may be older than trace_arrivals.
INSERT INTO {{ table('assembly_arrivals') }}
SELECT TraceId, toDate(min(Timestamp)), toDate(max(Timestamp))
FROM {{ table('genai_spans') }}
WHERE TraceId != ''
GROUP BY TraceId
