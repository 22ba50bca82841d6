-- Of each trace that names no conversation, the model call with the longest input.
INSERT INTO {{ table('assembly_wanted') }}
SELECT TraceId, argMax(cityHash64(TraceId, SpanId), (
    greatest(ifNull(InputMessages.size, 0), ifNull(EventMessages.size, 0), ifNull(Input.size, 0)), Timestamp, SpanId))
FROM {{ table('genai_spans') }}
WHERE Class = 'llm' AND toDate(Timestamp) IN (SELECT Day FROM {{ table('assembly_days') }})
    AND TraceId IN (SELECT TraceId FROM {{ table('assembly_traces') }} WHERE ConversationId = '' AND RunId = '')
GROUP BY TraceId
