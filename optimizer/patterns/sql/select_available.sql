-- What a mining could read now, by project: trajectories that are closed and at least {completeness:Float64} complete, those of
-- them with a judgement first. Rows: Project, judged, all; in order of Project.
SELECT Project, countIf(TrajectoryId IN (SELECT TrajectoryId FROM {{ table('trajectory_labels') }})), count()
FROM {{ table('trajectories') }} FINAL
WHERE RunId = '' AND State = 'closed' AND Completeness >= {completeness:Float64}
GROUP BY Project
ORDER BY Project
