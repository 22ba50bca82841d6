-- Closing one is a change.
INSERT INTO {{ table('changed_trajectories') }} SELECT TrajectoryId FROM {{ table('assembly_idle') }}
