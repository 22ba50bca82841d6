-- The traces of these {runs:Array(String)} of experiments.
INSERT INTO {{ table('assembly_arrivals') }}
SELECT TraceId, toDate(min(Timestamp)), toDate(max(Timestamp))
FROM {{ table('genai_spans') }}
WHERE TraceId != '' AND RunId IN {runs:Array(String)}
GROUP BY TraceId
