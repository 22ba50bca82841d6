-- Trajectories with arrived traces, and those that lost such a trace to another.
INSERT INTO {{ table('changed_trajectories') }}
SELECT TrajectoryId FROM {{ table('assembly_mapping') }}
UNION DISTINCT
SELECT OldTrajectoryId FROM {{ table('assembly_mapping') }} WHERE OldTrajectoryId != '' AND OldTrajectoryId != TrajectoryId
