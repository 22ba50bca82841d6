-- Deletes trajectories whose traces all belong to others now. Parameter: {version:UInt64}.
INSERT INTO {{ table('trajectories') }} (TrajectoryId, Project, Start, Version, IsDeleted)
SELECT TrajectoryId, Project, Start, {version:UInt64}, 1 FROM {{ table('trajectories') }} FINAL
WHERE TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }})
    AND TrajectoryId NOT IN (SELECT TrajectoryId FROM {{ table('assembly_members') }})
