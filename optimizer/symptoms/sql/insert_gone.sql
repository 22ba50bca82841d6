-- Symptoms that the changed trajectories no longer show: their rows are deleted by a new version.
--
-- {version:UInt64}: milliseconds since 1970 of this analysis.
INSERT INTO {{ table('trajectory_symptoms') }}
SELECT TrajectoryId, Symptom, Detail, Step, Occurrences, Weight, TraceId, SpanId, {version:UInt64}, 1
FROM {{ table('trajectory_symptoms') }} FINAL
WHERE Version < {version:UInt64} AND TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }})
