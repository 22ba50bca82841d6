-- What a derivation compares of one agent's traffic since {since:DateTime64(3)}: {sample:UInt64} trajectories drawn by a hash with
-- {seed:UInt64}, and the newest {members:UInt64} members of each of {patterns:Array(String)}. Bounded, however much traffic there is.
--
-- Further parameters: project, agent: String, completeness:Float64, messages:UInt64 (of the user, from the first on),
-- chars:UInt64 (of each). Rows: TrajectoryId, ConversationId, UserId, Start, Stratum, Probability (of satisfaction: what people
-- and outcomes said, else as scored; NULL = unknown), Drawn (1: belongs to the random sample), Patterns, Told (messages of the
-- user), Tools (called, in order of the first call of each); in order of TrajectoryId.
WITH
    traffic AS (
        SELECT TrajectoryId, ConversationId, UserId, Start, StepKinds, StepNames FROM {{ table('trajectories') }} FINAL
        WHERE Project = {project:String} AND AgentName = {agent:String} AND State = 'closed'
            AND Completeness >= {completeness:Float64} AND RunId = '' AND Opening != '' AND Start >= {since:DateTime64(3)}
    ),
    drawn AS (
        SELECT TrajectoryId FROM traffic ORDER BY cityHash64(TrajectoryId, {seed:UInt64}) LIMIT {sample:UInt64}
    ),
    shown AS (
        SELECT PatternId, TrajectoryId FROM {{ table('pattern_members') }} FINAL
        WHERE PatternId IN {patterns:Array(String)} AND TrajectoryId IN (SELECT TrajectoryId FROM traffic)
    ),
    chosen AS (
        SELECT TrajectoryId FROM drawn
        UNION DISTINCT
        SELECT TrajectoryId FROM (
            SELECT shown.TrajectoryId AS TrajectoryId FROM shown INNER JOIN traffic ON traffic.TrajectoryId = shown.TrajectoryId
            ORDER BY traffic.Start DESC, TrajectoryId LIMIT {members:UInt64} BY shown.PatternId
        )
    )
SELECT
    t.TrajectoryId AS TrajectoryId, t.ConversationId, t.UserId, t.Start, f.Stratum,
    if(l.Labels > 0, l.Satisfied, p.Probability) AS Probability,
    t.TrajectoryId IN (SELECT TrajectoryId FROM drawn) AS Drawn,
    m.Patterns, u.Told,
    arrayDistinct(arrayFilter((n, k) -> k = 'tool' AND n != '', t.StepNames, t.StepKinds)) AS Tools
FROM (SELECT * FROM traffic WHERE TrajectoryId IN (SELECT TrajectoryId FROM chosen)) AS t
LEFT JOIN (
    SELECT TrajectoryId, Stratum FROM {{ table('trajectory_features') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM chosen)
) AS f ON f.TrajectoryId = t.TrajectoryId
LEFT JOIN (
    SELECT TrajectoryId, toNullable(toFloat64(Probability)) AS Probability FROM {{ table('trajectory_satisfaction') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM chosen)
) AS p ON p.TrajectoryId = t.TrajectoryId
LEFT JOIN (
    SELECT TrajectoryId, count() AS Labels, avg(Satisfied) AS Satisfied FROM {{ table('trajectory_labels') }}
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM chosen)
    GROUP BY TrajectoryId
) AS l ON l.TrajectoryId = t.TrajectoryId
LEFT JOIN (
    SELECT TrajectoryId, arraySort(groupArray(PatternId)) AS Patterns FROM shown GROUP BY TrajectoryId
) AS m ON m.TrajectoryId = t.TrajectoryId
INNER JOIN (
    SELECT TrajectoryId,
        arraySlice(arrayMap(x -> x.2, arraySort(groupArray((Step, substringUTF8(ifNull(Text, ''), 1, {chars:UInt64}))))), 1, {messages:UInt64}) AS Told
    FROM {{ table('trajectory_steps') }} FINAL
    WHERE Kind = 'user' AND TrajectoryId IN (SELECT TrajectoryId FROM chosen)
    GROUP BY TrajectoryId
) AS u ON u.TrajectoryId = t.TrajectoryId
ORDER BY TrajectoryId
