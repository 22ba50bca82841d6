-- Fill pattern_sample: at most {outcomes:UInt64} trajectories with a judgement, at most {others:UInt64} without, closed and at
-- least {completeness:Float64} complete, drawn by a hash with {seed:UInt64}; of the project
-- {project:String}, or of all if {all_projects:Bool}.
--
-- Dissatisfied is one minus the mean of what people and outcomes said: of randomly sampled judgements where there are any, else
-- of those that came by themselves. A machine's score is no judgement here: it may rest on what a predicate asks.
INSERT INTO {{ table('pattern_sample') }}
WITH
    comparable AS (
        SELECT TrajectoryId FROM {{ table('trajectories') }} FINAL
        WHERE RunId = '' AND State = 'closed' AND Completeness >= {completeness:Float64} AND ({all_projects:Bool} OR Project = {project:String})
    ),
    judged AS (
        SELECT TrajectoryId, max(Selection = 'sampled') AS Sampled,
            1 - if(Sampled, avgIf(Satisfied, Selection = 'sampled'), avg(Satisfied)) AS Dissatisfied
        FROM {{ table('trajectory_labels') }}
        WHERE TrajectoryId IN (SELECT TrajectoryId FROM comparable)
        GROUP BY TrajectoryId
    )
SELECT TrajectoryId, Dissatisfied, Sampled
FROM (
    SELECT TrajectoryId, toNullable(Dissatisfied) AS Dissatisfied, Sampled FROM judged
    ORDER BY Sampled DESC, cityHash64(TrajectoryId, {seed:UInt64}) LIMIT {outcomes:UInt64}
)
UNION ALL
SELECT TrajectoryId, NULL AS Dissatisfied, 0 AS Sampled
FROM (
    SELECT TrajectoryId FROM comparable WHERE TrajectoryId NOT IN (SELECT TrajectoryId FROM judged)
    ORDER BY cityHash64(TrajectoryId, {seed:UInt64}) LIMIT {others:UInt64}
)
