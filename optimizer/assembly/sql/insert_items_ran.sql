-- What nobody is known to have asked for: tool and retrieval spans; model calls that failed, or whose messages were not recorded.
INSERT INTO {{ table('assembly_items') }}
SELECT
    N, bitShiftLeft(Ordinal, 20) + 1048575,
    multiIf(Class IN ('tool', 'retrieval'), Class::String, Failed, 'failure', 'assistant'), false, 0, SpanKey, 0
FROM {{ table('assembly_calls') }}
WHERE (Class = 'tool' AND SpanKey NOT IN (SELECT ToolKey FROM {{ table('assembly_matches') }}))
    OR Class = 'retrieval'
    OR (Class IN ('llm', 'agent') AND Failed AND Ordinal NOT IN (
        SELECT bitShiftRight(Place, 20) FROM {{ table('assembly_told') }} WHERE Side = 1))
    OR (Class = 'llm' AND NOT Failed AND NOT Told AND FinishReason NOT IN ('tool_calls', 'tool_call', 'tool_use', 'function_call'))
