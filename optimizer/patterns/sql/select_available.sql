-- What a mining could read now: judged trajectories, those that are closed and at least {completeness:Float64} complete, and
-- the project.
SELECT
    (SELECT uniqExact(TrajectoryId) FROM {{ table('trajectory_labels') }}),
    count(),
    anyLast(Project)
FROM {{ table('trajectories') }} FINAL
WHERE State = 'closed' AND Completeness >= {completeness:Float64}
