-- Draw comparable trajectories for the judge: Poisson sampling, likelier where the probability of satisfaction is uncertain.
--
-- Inclusion probability = min(1, n * w / sum w) with w = 0.1 + 4 p (1 - p) (p unknown counts as 1/2). The draw is a hash of
-- the trajectory and the seed, so that the same analysis draws the same; those this judge judged before are left out.
-- Parameters: n:UInt32, seed:UInt64, judge:String, completeness:Float32. Rows: TrajectoryId, probability; likeliest first.
WITH judged AS (
    SELECT DISTINCT TraceId FROM {{ table('assessments') }} FINAL
    WHERE Source = 'judge' AND Name = 'satisfaction' AND AssessorVersion = {judge:String}
)
SELECT TrajectoryId, inclusion FROM (
    SELECT
        TrajectoryId,
        least(1., {n:UInt32} * weight / sum(weight) OVER ()) AS inclusion
    FROM (
        SELECT
            t.TrajectoryId AS TrajectoryId,
            ifNull(s.Probability, 0.5) AS p,
            0.1 + 4 * p * (1 - p) AS weight
        FROM (
            SELECT TrajectoryId, TraceIds FROM {{ table('trajectories') }} FINAL
            WHERE State = 'closed' AND Completeness >= {completeness:Float32}
        ) AS t
        LEFT JOIN (
            SELECT TrajectoryId, Probability FROM {{ table('trajectory_satisfaction') }} FINAL
        ) AS s ON s.TrajectoryId = t.TrajectoryId
        WHERE t.TraceIds[1] NOT IN judged
        SETTINGS join_use_nulls = 1
    )
)
WHERE sipHash64({seed:UInt64}, TrajectoryId) / 18446744073709551615. < inclusion
ORDER BY inclusion DESC, TrajectoryId
