-- What an agent's newest model calls in production were given beside messages, the most frequent first.
--
-- Parameters: agent:String, n:UInt32 (trajectories). Rows: ToolDefinitions, Temperature, TopP, MaxTokens, FrequencyPenalty,
-- PresencePenalty (each NULL = not carried), calls.
SELECT ToolDefinitions, Temperature, TopP, MaxTokens, FrequencyPenalty, PresencePenalty, count() AS calls
FROM {{ table('genai_spans') }}
WHERE Class = 'llm' AND RunId = '' AND AgentName IN ({agent:String}, '') AND TraceId IN (
    SELECT arrayJoin(TraceIds)
    FROM {{ table('trajectories') }} FINAL
    WHERE RunId = '' AND AgentName = {agent:String} AND ModelCalls > 0
    ORDER BY Start DESC, TrajectoryId
    LIMIT {n:UInt32}
)
GROUP BY ToolDefinitions, Temperature, TopP, MaxTokens, FrequencyPenalty, PresencePenalty
ORDER BY calls DESC, ToolDefinitions
LIMIT 1000
