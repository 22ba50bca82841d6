-- Find one trajectory by its id or the beginning of it, by its conversation id, or by one of its traces.
--
-- Parameters: id:String. Rows: at most two, so that an ambiguous beginning is seen.
SELECT
    TrajectoryId AS trajectory, Basis AS basis, ConversationId AS conversation, TraceIds AS traces, UserId AS user,
    ServiceName AS service, AgentName AS agent, Release AS release, RunId AS run, Models AS models, Dialects AS dialects,
    Start AS start, End AS end, State AS state, Turns AS turns, ModelCalls AS model_calls, ToolCalls AS tool_calls,
    Errors AS errors, InputTokens AS input_tokens, OutputTokens AS output_tokens, CostUsd AS cost_usd,
    Completeness AS completeness, Issues AS issues
FROM {{ table('trajectories') }} FINAL
WHERE TrajectoryId = {id:String}
   OR (length({id:String}) >= 4 AND startsWith(TrajectoryId, {id:String}))
   OR (notEmpty({id:String}) AND ConversationId = {id:String})
   OR TrajectoryId IN (SELECT TrajectoryId FROM {{ table('trajectory_traces') }} FINAL WHERE TraceId = {id:String})
ORDER BY TrajectoryId != {id:String}, TrajectoryId
LIMIT 2
