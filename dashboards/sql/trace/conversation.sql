-- The conversation that holds the trace: one row.
SELECT
    t.AgentName AS Agent, t.Release AS Release, t.Start AS Began, substring(ifNull(t.Opening, ''), 1, 300) AS "What the user asked",
    p.Probability AS "Probability of satisfaction", t.Turns AS Turns, t.ModelCalls AS "Model calls", t.ToolCalls AS "Tool calls",
    t.Errors AS Errors, t.InputTokens AS "Tokens in", t.OutputTokens AS "Tokens out", t.CostUsd AS Cost,
    t.Completeness AS "Told completely", if(t.RunId = '', 'production', concat('experiment run ', t.RunId)) AS "Comes from"
FROM (
    SELECT * FROM trajectories FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM trajectory_traces FINAL WHERE TraceId = ${trace:singlequote})
) AS t
LEFT JOIN (SELECT TrajectoryId, Probability FROM trajectory_satisfaction FINAL) AS p ON p.TrajectoryId = t.TrajectoryId
SETTINGS join_use_nulls = 1
