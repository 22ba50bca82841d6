-- The trajectories at the positions that chance drew within a stratum: TrajectoryId, Project; by TrajectoryId.
-- Parameters: those of select_population, stratum String, positions Array(UInt64) (from 1, in order of TrajectoryId).
SELECT TrajectoryId, Project
FROM (
    SELECT TrajectoryId, Project, row_number() OVER (ORDER BY TrajectoryId) AS position
    FROM {{ table('trajectories') }} FINAL
    WHERE RunId = '' AND State = 'closed' AND Completeness >= {completeness:Float64} AND Start >= {since:DateTime64(9)}
        AND ({agent:String} = '' OR AgentName = {agent:String})
        AND ({release:String} = '' OR Release = {release:String})
        AND (NOT {stratified:Bool} OR AgentName = {stratum:String})
)
WHERE position IN {positions:Array(UInt64)}
ORDER BY TrajectoryId
