-- What nobody is known to have asked for: tool and retrieval spans; model calls that failed, or whose messages were not recorded.
INSERT INTO {{ table('assembly_items') }}
SELECT
    N, Start, SpanKey, 1000000,
    multiIf(Class IN ('tool', 'retrieval'), Class, Failed, 'failure', 'assistant') AS Kind, Agent, ToolName, ToolCallId,
    multiIf(Class = 'agent' OR Class = 'llm' AND NOT Failed, '', Failed, 'error', 'ok'), ErrorType, if(Kind = 'assistant', FinishReason, ''), Model,
    if(Kind = 'assistant', End, Start), toUInt64(dateDiff('nanosecond', Start, End)), TraceId, SpanId, 1, 0, 0, SpanKey, 0, 0, 0
FROM {{ table('assembly_calls') }}
WHERE (Class = 'tool' AND SpanKey NOT IN (SELECT ToolKey FROM {{ table('assembly_matches') }}))
    OR Class = 'retrieval'
    OR (Class IN ('llm', 'agent') AND Failed AND SpanKey NOT IN (SELECT SpanKey FROM {{ table('assembly_messages') }} WHERE Side = 1))
    OR (Class = 'llm' AND NOT Failed AND NOT Told AND FinishReason NOT IN ('tool_calls', 'tool_call', 'tool_use', 'function_call'))
