-- feedback_answers from the calls of those days. An id that several calls share names none.
-- Parameters: since, until DateTime64(9).
INSERT INTO {{ table('feedback_answers') }}
SELECT Project, ResponseId, any(TraceId), any(SpanId)
FROM {{ table('genai_spans') }}
WHERE Timestamp BETWEEN {since:DateTime64(9)} AND {until:DateTime64(9)}
    AND (Project, ResponseId) IN (
        SELECT Project, Attributes['gen_ai.response.id'] FROM {{ table('feedback_found') }}
        WHERE Carrier = 'log' AND TraceId = '' AND Attributes['gen_ai.response.id'] != '')
    AND Class = 'llm' AND TraceId != ''
GROUP BY Project, ResponseId
HAVING uniqExact(TraceId) = 1
