-- What users first said (their first three messages), as buckets of its words.
--
-- Parameters: first:String, last:String (range of ids), share:Float64 (of them, by hash), buckets:UInt64.
-- Rows: TrajectoryId, Buckets (distinct, ascending), whether it is a run (which makes no cluster); those that said nothing are left out. In order of TrajectoryId.
SELECT
    TrajectoryId,
    arraySort(arrayDistinct(arrayMap(
        word -> toUInt16(cityHash64(word) % {buckets:UInt64}),
        arrayFilter(word -> length(word) > 1, tokens(lowerUTF8(Opening)))))) AS Buckets,
    TrajectoryId IN (SELECT TrajectoryId FROM {{ table('trajectories') }} WHERE RunId != '') AS Run
FROM (
    SELECT
        TrajectoryId,
        arrayStringConcat(arrayMap(
            said -> said.2,
            arraySlice(arraySort(groupArray((Step, substringUTF8(ifNull(Text, ''), 1, 1500)))), 1, 3)), ' ') AS Opening
    FROM {{ table('trajectory_steps') }} FINAL
    WHERE TrajectoryId BETWEEN {first:String} AND {last:String} AND Kind = 'user'
        AND TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }})
        AND cityHash64(TrajectoryId, 'openings') < {share:Float64} * 18446744073709551615.
    GROUP BY TrajectoryId
)
WHERE notEmpty(Buckets)
ORDER BY TrajectoryId
