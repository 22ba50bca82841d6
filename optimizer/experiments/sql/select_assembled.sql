-- The trajectories of {runs:Array(String)}. RunId, TrajectoryId, TraceIds, Completeness; in order of RunId.
SELECT RunId, TrajectoryId, TraceIds, Completeness FROM {{ table('trajectories') }} FINAL
WHERE RunId IN {runs:Array(String)}
ORDER BY RunId
