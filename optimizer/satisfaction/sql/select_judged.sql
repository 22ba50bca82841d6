-- What a model judged of trajectories of production: mean over its judgements.
--
-- Rows: TrajectoryId, Satisfied.
SELECT told.TrajectoryId AS TrajectoryId, avg(judged.Satisfied) AS Satisfied
FROM (
    SELECT TraceId, Satisfied FROM {{ table('assessments') }} FINAL
    WHERE Source = 'judge' AND Name = 'satisfaction' AND Satisfied IS NOT NULL AND TraceId != ''
) AS judged
INNER JOIN (
    SELECT TraceId, TrajectoryId FROM {{ table('trajectory_traces') }} FINAL
    WHERE Basis != 'run' AND TraceId IN (SELECT TraceId FROM {{ table('assessments') }} FINAL WHERE Source = 'judge')
) AS told ON told.TraceId = judged.TraceId
GROUP BY TrajectoryId
ORDER BY TrajectoryId
