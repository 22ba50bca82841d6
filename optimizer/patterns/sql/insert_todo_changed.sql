-- The changed trajectories of {project:String}, whatever their state: one that is open again, or that is gone and so has no
-- project, must lose its memberships. Runs of experiments have none.
INSERT INTO {{ table('pattern_todo') }}
SELECT TrajectoryId, rowNumberInAllBlocks() AS N
FROM (
    SELECT DISTINCT TrajectoryId FROM {{ table('changed_trajectories') }}
    WHERE TrajectoryId NOT IN (
        SELECT TrajectoryId FROM {{ table('trajectories') }} FINAL
        WHERE (Project != {project:String} OR RunId != '') AND TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }})
    )
    ORDER BY TrajectoryId
)
