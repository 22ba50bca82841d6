-- Deletes steps that an earlier version had beyond the present ones. Parameters: {first:UInt32}, {last:UInt32}, {version:UInt64}.
INSERT INTO {{ table('trajectory_steps') }} (TrajectoryId, Step, Timestamp, Version, IsDeleted)
SELECT old.TrajectoryId, arrayJoin(range(new.Steps + 1, old.Steps + 1)), old.Start, {version:UInt64}, 1
FROM (
    SELECT TrajectoryId, toUInt32(length(StepKinds)) AS Steps, Start FROM {{ table('trajectories') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM {{ table('assembly_members') }} WHERE N BETWEEN {first:UInt32} AND {last:UInt32})
) AS old
INNER JOIN (
    SELECT m.TrajectoryId AS TrajectoryId, toUInt32(s.Steps) AS Steps
    FROM (
        SELECT N, any(TrajectoryId) AS TrajectoryId FROM {{ table('assembly_members') }}
        WHERE N BETWEEN {first:UInt32} AND {last:UInt32} GROUP BY N
    ) AS m
    LEFT JOIN (SELECT N, max(Step) AS Steps FROM {{ table('assembly_steps') }} GROUP BY N) AS s ON s.N = m.N
) AS new ON new.TrajectoryId = old.TrajectoryId
WHERE old.Steps > new.Steps
