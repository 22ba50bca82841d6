-- Deletes steps that an earlier version had beyond the present ones. Parameters: {first:UInt32}, {last:UInt32}, {version:UInt64}.
INSERT INTO {{ table('trajectory_steps') }} (TrajectoryId, Step, Timestamp, Version, IsDeleted)
SELECT old.TrajectoryId, arrayJoin(range(new.Steps + 1, old.Steps + 1)), old.Start, {version:UInt64}, 1
FROM (
    SELECT TrajectoryId, toUInt32(length(StepKinds)) AS Steps, Start FROM {{ table('trajectories') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM {{ table('assembly_members') }} WHERE N BETWEEN {first:UInt32} AND {last:UInt32})
) AS old
INNER JOIN (
    SELECT any(m.TrajectoryId) AS TrajectoryId, toUInt32(max(s.Step)) AS Steps
    FROM {{ table('assembly_members') }} AS m
    LEFT JOIN {{ table('assembly_steps') }} AS s ON s.N = m.N
    WHERE m.N BETWEEN {first:UInt32} AND {last:UInt32}
    GROUP BY m.N
) AS new ON new.TrajectoryId = old.TrajectoryId
WHERE old.Steps > new.Steps
