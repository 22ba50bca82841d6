-- Draw comparable trajectories of production for the judge: Poisson sampling, likelier where the probability of satisfaction is uncertain.
--
-- Inclusion probability = min(1, n * w / sum w) with w = 0.1 + 4 p (1 - p) (p unknown counts as 1/2). The draw is a hash of the
-- trajectory, the seed and the time of the analysis: a repeat of it draws the same, the next one anew. Those this judge judged
-- before are left out. In order of the hash over the probability, which is uniform among those drawn: whoever stops after a
-- share of the rows has drawn each with its probability times that share.
-- Parameters: n:UInt32, seed:UInt64, now:UInt64, judge:String, completeness:Float32. Rows: TrajectoryId, probability.
WITH judged AS (
    SELECT DISTINCT TraceId FROM {{ table('assessments') }} FINAL
    WHERE Source = 'judge' AND Name = 'satisfaction' AND AssessorVersion = {judge:String}
)
SELECT TrajectoryId, inclusion FROM (
    SELECT
        TrajectoryId,
        sipHash64({seed:UInt64}, {now:UInt64}, TrajectoryId) / 18446744073709551615. AS drawn,
        least(1., {n:UInt32} * weight / sum(weight) OVER ()) AS inclusion
    FROM (
        SELECT
            t.TrajectoryId AS TrajectoryId,
            ifNull(s.Probability, 0.5) AS p,
            0.1 + 4 * p * (1 - p) AS weight
        FROM (
            SELECT TrajectoryId, TraceIds FROM {{ table('trajectories') }} FINAL
            WHERE RunId = '' AND State = 'closed' AND Completeness >= {completeness:Float32}
        ) AS t
        LEFT JOIN (
            SELECT TrajectoryId, Probability FROM {{ table('trajectory_satisfaction') }} FINAL
        ) AS s ON s.TrajectoryId = t.TrajectoryId
        WHERE t.TraceIds[1] NOT IN judged
        SETTINGS join_use_nulls = 1
    )
)
WHERE drawn < inclusion
ORDER BY drawn / inclusion, TrajectoryId
