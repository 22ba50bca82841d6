-- Open trajectories that have been idle since, without a new span. Parameters: {version:UInt64}, {idle_s:UInt64}.
INSERT INTO {{ table('assembly_idle') }}
SELECT TrajectoryId FROM {{ table('trajectories') }} FINAL
WHERE State = 'open' AND toUnixTimestamp64Milli(End) + {idle_s:UInt64} * 1000 <= {version:UInt64}
    AND TrajectoryId NOT IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }})
