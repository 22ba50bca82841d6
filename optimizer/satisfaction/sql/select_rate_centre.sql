-- Mean Base of all trajectories of production, NULL without any: scores are taken less this, so that a missing one is 0.
-- No parameters. One row.
SELECT avgOrNull(Base) FROM {{ table('trajectory_satisfaction') }} FINAL 
WHERE isFinite(Base) AND TrajectoryId NOT IN (SELECT TrajectoryId FROM {{ table('trajectories') }} WHERE RunId != '')
