-- Closes the idle ones. Parameter: {version:UInt64}.
INSERT INTO {{ table('trajectories') }}
SELECT * REPLACE ('closed' AS State, {version:UInt64} AS Version) FROM {{ table('trajectories') }} FINAL
WHERE TrajectoryId IN (SELECT TrajectoryId FROM {{ table('assembly_idle') }})
