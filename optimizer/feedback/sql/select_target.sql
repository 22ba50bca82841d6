-- The trajectory that a person means: TrajectoryId, Project, ConversationId, first trace; at most two rows, exact matches first.
-- Parameters: name String (a trajectory, the beginning of its id, a conversation or a trace).
SELECT TrajectoryId, Project, ConversationId, TraceIds[1]
FROM {{ table('trajectories') }} FINAL
WHERE TrajectoryId = {name:String} OR startsWith(TrajectoryId, {name:String}) OR ConversationId = {name:String} OR has(TraceIds, {name:String})
ORDER BY TrajectoryId = {name:String} DESC, ConversationId = {name:String} DESC, TrajectoryId
LIMIT 2
