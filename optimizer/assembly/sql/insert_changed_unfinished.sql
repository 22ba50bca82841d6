-- Trajectories that an analysis wrote which did not come to its end: the stages after the assembly may have missed them.
--
-- Stage 'begun' and '' are written by spanloop.optimizer.analysis, at the start and at the end; the version of what an analysis
-- writes is the time at which it began.
INSERT INTO {{ table('changed_trajectories') }}
WITH (SELECT max(StartedAt) FROM {{ table('analyses') }} WHERE Stage = '') AS finished
SELECT TrajectoryId FROM {{ table('trajectories') }} FINAL
WHERE Version IN (
    SELECT toUInt64(toUnixTimestamp64Milli(StartedAt)) FROM {{ table('analyses') }} WHERE Stage = 'begun' AND StartedAt > finished
) AND TrajectoryId NOT IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }})
