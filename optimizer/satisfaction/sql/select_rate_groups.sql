-- Sums over comparable trajectories per group: Project, dimension, value, trajectories (all), then over those that a label could
-- speak for: runs, score (sum; less the mean, 0 = unknown). By Project, dimension, value.
--
-- A label could speak for a trajectory that some audit sample could have drawn, or for any where labels came from elsewhere.
-- Parameters: completeness Float32, centre Float64, agents, releases Array(String) ('' = any), since, until Array(Float64)
-- (seconds): one entry per sample and stratum.
SELECT
    project, dimension.1 AS name, dimension.2 AS value, count() AS trajectories,
    countIf(covered) AS runs, sumIf(score, covered) AS score_sum
FROM (
    SELECT
        t.Project AS project, ifNull(s.Probability - {centre:Float64}, 0) AS score,
        toUnixTimestamp64Milli(t.Start) / 1000 AS start,
        arrayExists(
            (agent, release, since, until) -> agent IN ('', t.AgentName) AND release IN ('', t.Release) AND since <= start AND start < until,
            {agents:Array(String)}, {releases:Array(String)}, {since:Array(Float64)}, {until:Array(Float64)}) AS covered,
        arrayJoin([
            ('all', ''), ('agent', toString(t.AgentName)), ('release', toString(t.Release)), ('intent', ifNull(f.Stratum, '')),
            ('day', toString(toDate(t.Start, 'UTC')))]) AS dimension
    FROM (
        SELECT TrajectoryId, Project, AgentName, Release, Start FROM {{ table('trajectories') }} FINAL
        WHERE State = 'closed' AND Completeness >= {completeness:Float32}
    ) AS t
    LEFT JOIN (SELECT TrajectoryId, Probability FROM {{ table('trajectory_satisfaction') }} FINAL) AS s ON s.TrajectoryId = t.TrajectoryId
    LEFT JOIN (SELECT TrajectoryId, Stratum FROM {{ table('trajectory_features') }} FINAL) AS f ON f.TrajectoryId = t.TrajectoryId
)
WHERE name = 'all' OR value != ''
GROUP BY project, name, value
ORDER BY project, name, value
SETTINGS join_use_nulls = 1
