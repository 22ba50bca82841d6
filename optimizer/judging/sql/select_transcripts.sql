-- Read the steps of some trajectories, texts cut to what a transcript shows of one.
--
-- Parameters: ids:Array(String), chars:UInt32. Rows: TrajectoryId, TraceId (first of the trajectory), Project, ConversationId,
-- System, steps as tuples (Step, Kind, Agent, Name, Text, Arguments, Result, Status), in order.
SELECT
    t.TrajectoryId, t.TraceIds[1] AS TraceId, t.Project, t.ConversationId,
    substringUTF8(t.System, 1, 4 * {chars:UInt32}) AS System,
    s.steps
FROM (
    SELECT TrajectoryId, TraceIds, Project, ConversationId, System FROM {{ table('trajectories') }} FINAL
    WHERE TrajectoryId IN {ids:Array(String)}
) AS t
INNER JOIN (
    SELECT
        TrajectoryId,
        arraySort(x -> x.1, groupArray((
            Step, Kind, Agent, Name,
            substringUTF8(Text, 1, {chars:UInt32}), substringUTF8(Arguments, 1, {chars:UInt32}),
            substringUTF8(Result, 1, {chars:UInt32}), Status))) AS steps
    FROM {{ table('trajectory_steps') }} FINAL
    WHERE TrajectoryId IN {ids:Array(String)}
    GROUP BY TrajectoryId
) AS s ON s.TrajectoryId = t.TrajectoryId
ORDER BY t.TrajectoryId
