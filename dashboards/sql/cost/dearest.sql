-- The conversations that took most tokens; of production only.
SELECT
    Start AS Began, AgentName AS Agent, Release, substring(ifNull(Opening, ''), 1, 160) AS "What the user asked",
    InputTokens AS "Tokens in", OutputTokens AS "Tokens out", CostUsd AS Cost, ModelCalls AS "Model calls", ToolCalls AS "Tool calls",
    TraceIds[1] AS Trace
FROM trajectories FINAL
WHERE $__timeFilter(Start) AND RunId = '' AND InputTokens IS NOT NULL
    AND $__conditionalAll(Project = ${project:singlequote}, $project)
    AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
    AND $__conditionalAll(Release IN (${release:singlequote}), $release)
ORDER BY CostUsd DESC NULLS LAST, InputTokens + ifNull(OutputTokens, 0) DESC, TrajectoryId
LIMIT 50
