-- Comparable trajectories with a label of a random sample: Project, TrajectoryId, cluster (the user, else the trajectory), score
-- (Base less the mean; 0 = unknown), agent, release, intent, day, start (seconds), satisfied (mean of its labels), own
-- (probabilities carried by labels that no stored sample explains). By TrajectoryId.
-- Parameters: completeness Float32, centre Float64.
WITH told AS (
    SELECT
        TrajectoryId, avg(Satisfied) AS satisfied,
        groupArrayIf(assumeNotNull(SelectionProbability), SelectionProbability IS NOT NULL
            AND SampleId NOT IN (SELECT SampleId FROM {{ table('label_samples') }})) AS own
    FROM {{ table('trajectory_labels') }}
    WHERE Selection = 'sampled'
    GROUP BY TrajectoryId
)
SELECT
    t.Project AS project, t.TrajectoryId AS trajectory,
    if(t.UserId != '', concat('u:', t.UserId), concat('t:', t.TrajectoryId)) AS cluster,
    ifNull(s.Base - {centre:Float64}, 0) AS score,
    t.AgentName AS agent, t.Release AS release, ifNull(f.Stratum, '') AS intent, toString(toDate(t.Start, 'UTC')) AS day,
    toUnixTimestamp64Milli(t.Start) / 1000 AS start, told.satisfied AS satisfied, told.own AS own
FROM told
INNER JOIN (
    SELECT TrajectoryId, Project, UserId, AgentName, Release, Start FROM {{ table('trajectories') }} FINAL
    WHERE RunId = '' AND State = 'closed' AND Completeness >= {completeness:Float32} AND TrajectoryId IN (SELECT TrajectoryId FROM told)
) AS t ON t.TrajectoryId = told.TrajectoryId
LEFT JOIN (
    SELECT TrajectoryId, Base FROM {{ table('trajectory_satisfaction') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM told)
) AS s ON s.TrajectoryId = told.TrajectoryId
LEFT JOIN (
    SELECT TrajectoryId, Stratum FROM {{ table('trajectory_features') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM told)
) AS f ON f.TrajectoryId = told.TrajectoryId
ORDER BY trajectory
SETTINGS join_use_nulls = 1
