-- Withdraw the probabilities of trajectories whose numbers were withdrawn in this analysis.
--
-- Parameters: version:UInt64.
INSERT INTO {{ table('trajectory_satisfaction') }} (TrajectoryId, Probability, Method, Evidence, ModelId, Version, IsDeleted)
SELECT TrajectoryId, NULL, Method, [], ModelId, {version:UInt64}, 1
FROM {{ table('trajectory_satisfaction') }} FINAL
WHERE TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }})
    AND TrajectoryId NOT IN (
        SELECT TrajectoryId FROM {{ table('trajectory_features') }} FINAL
        WHERE TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }}))
