-- Every trajectory of {project:String} that can be compared: closed and at least {completeness:Float64} complete.
INSERT INTO {{ table('pattern_todo') }}
SELECT TrajectoryId, rowNumberInAllBlocks() AS N
FROM (
    SELECT TrajectoryId FROM {{ table('trajectories') }} FINAL
    WHERE RunId = '' AND State = 'closed' AND Completeness >= {completeness:Float64} AND Project = {project:String}
    ORDER BY TrajectoryId
)
