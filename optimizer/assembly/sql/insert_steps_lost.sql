-- Deletes the steps of trajectories whose traces all belong to others now. Parameter: {version:UInt64}.
INSERT INTO {{ table('trajectory_steps') }} (TrajectoryId, Step, Timestamp, Version, IsDeleted)
SELECT TrajectoryId, arrayJoin(range(toUInt32(1), toUInt32(length(StepKinds)) + 1)), Start, {version:UInt64}, 1
FROM {{ table('trajectories') }} FINAL
WHERE TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }})
    AND TrajectoryId NOT IN (SELECT TrajectoryId FROM {{ table('assembly_members') }})
