-- Sums over comparable trajectories with volunteered feedback, per group and clustered by user: Project, dimension, value, runs,
-- satisfied, clusters, runs_squared, runs_satisfied, satisfied_squared. By Project, dimension, value.
-- Parameters: completeness Float32.
WITH told AS (
    SELECT TrajectoryId, avg(Satisfied) AS satisfied FROM {{ table('trajectory_labels') }}
    WHERE Selection = 'volunteered' AND Source = 'feedback'
    GROUP BY TrajectoryId
)
SELECT
    project, name, value, sum(m) AS runs, sum(y) AS satisfied, count() AS clusters,
    sum(m * m) AS runs_squared, sum(m * y) AS runs_satisfied, sum(y * y) AS satisfied_squared
FROM (
    SELECT project, dimension.1 AS name, dimension.2 AS value, cluster, toFloat64(count()) AS m, sum(satisfied) AS y
    FROM (
        SELECT
            t.Project AS project, told.satisfied AS satisfied,
            if(t.UserId != '', concat('u:', t.UserId), concat('t:', t.TrajectoryId)) AS cluster,
            arrayJoin([
                ('all', ''), ('agent', toString(t.AgentName)), ('release', toString(t.Release)), ('intent', ifNull(f.Stratum, '')),
                ('day', toString(toDate(t.Start, 'UTC'))),
                ('agent_day', if(t.AgentName = '', '', concat(toString(toDate(t.Start, 'UTC')), ' ', t.AgentName)))]) AS dimension
        FROM told
        INNER JOIN (
            SELECT TrajectoryId, Project, UserId, AgentName, Release, Start FROM {{ table('trajectories') }} FINAL
            WHERE RunId = '' AND State = 'closed' AND Completeness >= {completeness:Float32} AND TrajectoryId IN (SELECT TrajectoryId FROM told)
        ) AS t ON t.TrajectoryId = told.TrajectoryId
        LEFT JOIN (
            SELECT TrajectoryId, Stratum FROM {{ table('trajectory_features') }} FINAL
            WHERE TrajectoryId IN (SELECT TrajectoryId FROM told)
        ) AS f ON f.TrajectoryId = t.TrajectoryId
    )
    WHERE name = 'all' OR value != ''
    GROUP BY project, name, value, cluster
)
GROUP BY project, name, value
ORDER BY project, name, value
SETTINGS join_use_nulls = 1
