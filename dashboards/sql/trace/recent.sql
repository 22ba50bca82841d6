-- Conversations to read, the newest first; of production only.
SELECT Start AS Began, AgentName AS Agent, substring(ifNull(Opening, ''), 1, 160) AS "What the user asked", Errors, TraceIds[1] AS Trace
FROM trajectories FINAL
WHERE $__timeFilter(Start) AND RunId = ''
ORDER BY Start DESC, TrajectoryId
LIMIT 50
