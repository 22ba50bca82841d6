-- Withdraw the numbers of changed trajectories that are no more, or have no steps.
--
-- Parameters: feature_version:UInt32, version:UInt64.
INSERT INTO {{ table('trajectory_features') }} (TrajectoryId, Stratum, Numbers, FeatureVersion, Version, IsDeleted)
SELECT TrajectoryId, '', [], {feature_version:UInt32}, {version:UInt64}, 1
FROM (SELECT DISTINCT TrajectoryId FROM {{ table('changed_trajectories') }})
WHERE TrajectoryId IN (
        SELECT TrajectoryId FROM {{ table('trajectory_features') }} FINAL
        WHERE Version < {version:UInt64} AND TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }}))
