-- The changed trajectories, whatever their state: one that is open again must lose its memberships.
INSERT INTO {{ table('pattern_todo') }}
SELECT TrajectoryId, rowNumberInAllBlocks() AS N
FROM (SELECT DISTINCT TrajectoryId FROM {{ table('changed_trajectories') }} ORDER BY TrajectoryId)
