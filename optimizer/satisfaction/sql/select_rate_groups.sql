-- Sums over comparable trajectories per group: Project, dimension, value, trajectories (all), then over those that a label could
-- speak for: runs, score (sum; less the mean, 0 = unknown). By Project, dimension, value.
--
-- A label could speak for a trajectory that some audit sample could have drawn, or for any where labels came from elsewhere.
-- Parameters: completeness Float32, centre Float64, agents, releases Array(String) ('' = any), since, until Array(Float64)
-- (seconds): one entry per sample and stratum.
SELECT
    project, dimension.1 AS name, dimension.2 AS value, sum(trajectories) AS trajectories, sum(runs) AS runs, sum(score) AS score
FROM (
    SELECT
        t.Project AS project, count() AS trajectories, countIf(t.covered) AS runs,
        sumIf(ifNull(s.Base - {centre:Float64}, 0), t.covered) AS score,
        [
            ('all', ''), ('agent', toString(t.AgentName)), ('release', toString(t.Release)), ('intent', ifNull(f.Stratum, '')),
            ('day', toString(t.day)), ('agent_day', if(t.AgentName = '', '', concat(toString(t.day), ' ', t.AgentName)))
        ] AS dimensions
    FROM (
        SELECT
            TrajectoryId, Project, AgentName, Release, toDate(Start, 'UTC') AS day,
            toUnixTimestamp64Milli(Start) / 1000 AS start,
            arrayExists(
                (agent, release, since, until) -> agent IN ('', AgentName) AND release IN ('', Release)
                    AND since <= start AND start < until,
                {agents:Array(String)}, {releases:Array(String)}, {since:Array(Float64)}, {until:Array(Float64)}) AS covered
        FROM {{ table('trajectories') }} FINAL
        WHERE RunId = '' AND State = 'closed' AND Completeness >= {completeness:Float32}
    ) AS t
    LEFT JOIN (SELECT TrajectoryId, Base FROM {{ table('trajectory_satisfaction') }} FINAL) AS s ON s.TrajectoryId = t.TrajectoryId
    LEFT JOIN (SELECT TrajectoryId, Stratum FROM {{ table('trajectory_features') }} FINAL) AS f ON f.TrajectoryId = t.TrajectoryId
    GROUP BY t.Project, t.AgentName, t.Release, f.Stratum, t.day
)
ARRAY JOIN dimensions AS dimension
WHERE name = 'all' OR value != ''
GROUP BY project, name, value
ORDER BY project, name, value
SETTINGS join_use_nulls = 1, join_algorithm = 'full_sorting_merge'
