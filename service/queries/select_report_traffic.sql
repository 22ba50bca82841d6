-- Production traffic of each agent.
--
-- Parameters: agent:String ('' = any), since, until:DateTime64(3), completeness:Float32 (the least that is compared). Rows: by number of conversations. Tokens and US dollars are
-- sums of those that are known; untold and unpriced count the conversations of which they are not.
SELECT
    AgentName AS agent, count() AS conversations, uniqExactIf(UserId, UserId != '') AS users, sum(Turns) AS turns,
    sum(ModelCalls) AS model_calls, sum(ToolCalls) AS tool_calls, countIf(Errors > 0) AS with_errors,
    countIf(State = 'open') AS open, countIf(Completeness < {completeness:Float32}) AS incomplete, sum(InputTokens) AS input_tokens,
    sum(OutputTokens) AS output_tokens, countIf(InputTokens IS NULL) AS untold, sum(CostUsd) AS cost_usd,
    countIf(CostUsd IS NULL) AS unpriced, min(Start) AS first, max(End) AS last, topK(3)(ServiceName) AS services
FROM {{ table('trajectories') }} FINAL
WHERE RunId = '' AND ({agent:String} = '' OR AgentName = {agent:String})
  AND Start >= {since:DateTime64(3)} AND Start <= {until:DateTime64(3)}
GROUP BY AgentName
ORDER BY conversations DESC, agent
