-- Mean Base of all trajectories, NULL without any: scores are taken less this, so that a missing one is 0.
-- No parameters. One row.
SELECT avgOrNull(Base) FROM {{ table('trajectory_satisfaction') }} FINAL WHERE isFinite(Base)
