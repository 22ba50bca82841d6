-- What the population behind the batch needs beside select_rate_groups: sums over clusters (users, else trajectories) of the
-- trajectories that a label could speak for: Project, dimension, value, clusters, runs_squared, runs_score, score_squared, and
-- labelled: (cluster, runs, score) of the clusters named. By Project, dimension, value.
-- Parameters: those of select_rate_groups, and named Array(String).
SELECT
    project, name, value, count() AS clusters, sum(m * m) AS runs_squared, sum(m * s) AS runs_score, sum(s * s) AS score_squared,
    groupArrayIf((cluster, m, s), cluster IN {named:Array(String)}) AS labelled
FROM (
    SELECT project, dimension.1 AS name, dimension.2 AS value, cluster, toFloat64(count()) AS m, sum(score) AS s
    FROM (
        SELECT
            t.Project AS project, ifNull(s.Base - {centre:Float64}, 0) AS score,
            if(t.UserId != '', concat('u:', t.UserId), concat('t:', t.TrajectoryId)) AS cluster,
            toUnixTimestamp64Milli(t.Start) / 1000 AS start,
            arrayExists(
                (agent, release, since, until) -> agent IN ('', t.AgentName) AND release IN ('', t.Release) AND since <= start AND start < until,
                {agents:Array(String)}, {releases:Array(String)}, {since:Array(Float64)}, {until:Array(Float64)}) AS covered,
            arrayJoin([
                ('all', ''), ('agent', toString(t.AgentName)), ('release', toString(t.Release)), ('intent', ifNull(f.Stratum, '')),
                ('day', toString(toDate(t.Start, 'UTC'))),
                ('agent_day', if(t.AgentName = '', '', concat(toString(toDate(t.Start, 'UTC')), ' ', t.AgentName)))]) AS dimension
        FROM (
            SELECT TrajectoryId, Project, UserId, AgentName, Release, Start FROM {{ table('trajectories') }} FINAL
            WHERE RunId = '' AND State = 'closed' AND Completeness >= {completeness:Float32}
        ) AS t
        LEFT JOIN (SELECT TrajectoryId, Base FROM {{ table('trajectory_satisfaction') }} FINAL) AS s ON s.TrajectoryId = t.TrajectoryId
        LEFT JOIN (SELECT TrajectoryId, Stratum FROM {{ table('trajectory_features') }} FINAL) AS f ON f.TrajectoryId = t.TrajectoryId
    )
    WHERE covered AND (name = 'all' OR value != '')
    GROUP BY project, name, value, cluster
)
GROUP BY project, name, value
ORDER BY project, name, value
SETTINGS join_use_nulls = 1, join_algorithm = 'full_sorting_merge'
