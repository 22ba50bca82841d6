-- Production trajectories that ran under given releases, in the order in which they began: Release, start (ms), satisfied (its
-- label, of a person asked before an outcome before feedback, else its score; NULL = neither), labelled (0 or 1).
-- Closed ones only; of each user only the first one begun, where users are what is assigned.
-- Parameters: project, agent String; releases Array(String); since, until Int64 (ms: from, before); by_user Bool; most UInt64.
WITH begun AS (
    SELECT TrajectoryId, Release, State, Start
    FROM {{ table('trajectories') }} FINAL
    WHERE Project = {project:String} AND AgentName = {agent:String} AND Release IN {releases:Array(String)} AND RunId = ''
        AND toUnixTimestamp64Milli(Start) >= {since:Int64} AND toUnixTimestamp64Milli(Start) < {until:Int64}
    ORDER BY Start, TrajectoryId
    LIMIT 1 BY if({by_user:Bool} AND UserId != '', concat('u:', UserId), concat('t:', TrajectoryId))
    LIMIT {most:UInt64}
)
SELECT
    t.Release AS release, toUnixTimestamp64Milli(t.Start) AS start, ifNull(l.label, s.Probability) AS satisfied,
    l.label IS NOT NULL AS labelled
FROM begun AS t
LEFT JOIN (
    SELECT TrajectoryId, avg(Satisfied) AS label
    FROM (
        SELECT TrajectoryId, Satisfied, rank, min(rank) OVER (PARTITION BY TrajectoryId) AS best
        FROM (
            SELECT TrajectoryId, Satisfied, transform(Source, ['label', 'outcome', 'feedback'], [1, 2, 3], 4) AS rank
            FROM {{ table('trajectory_labels') }}
        )
    )
    WHERE rank = best
    GROUP BY TrajectoryId
) AS l ON l.TrajectoryId = t.TrajectoryId
LEFT JOIN (
    SELECT TrajectoryId, Probability FROM {{ table('trajectory_satisfaction') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM begun)
) AS s ON s.TrajectoryId = t.TrajectoryId
WHERE t.State = 'closed'
ORDER BY t.Start, t.TrajectoryId
SETTINGS join_use_nulls = 1
