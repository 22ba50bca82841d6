-- The changed trajectories of {project:String}, whatever their state: one that is open again, or that is gone and so has no
-- project, must lose its memberships.
INSERT INTO {{ table('pattern_todo') }}
SELECT TrajectoryId, rowNumberInAllBlocks() AS N
FROM (
    SELECT DISTINCT TrajectoryId FROM {{ table('changed_trajectories') }}
    WHERE TrajectoryId NOT IN (
        SELECT TrajectoryId FROM {{ table('trajectories') }} FINAL
        WHERE Project != {project:String} AND TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }})
    )
    ORDER BY TrajectoryId
)
