-- Which trace's history a trace continues: the longest that it begins with. Where several traces left the same history (the
-- same opening and answer, for different users), the k-th continuation takes the k-th of them in order of time, those not yet
-- continued first; two that left the same are never joined.
INSERT INTO {{ table('assembly_links') }}
WITH
    left_behind AS (
        SELECT h.TraceId AS TraceId, h.Project AS Project, h.Start AS Start, h.HistoryKey AS HistoryKey,
            t.OldTrajectoryId AS TrajectoryId, if(t.OldBasis = 'history', t.OldTrajectoryId, h.TraceId) AS Target
        FROM {{ table('assembly_histories') }} AS h
        INNER JOIN {{ table('assembly_traces') }} AS t ON t.TraceId = h.TraceId
        WHERE h.HistoryKey != 0
        UNION ALL
        SELECT TraceId, Project, Start, HistoryKey, TrajectoryId, TrajectoryId AS Target
        FROM {{ table('trajectory_traces') }} FINAL
        WHERE HistoryKey != 0 AND HistoryKey IN (SELECT arrayJoin(Prefixes) FROM {{ table('assembly_histories') }})
            AND TraceId NOT IN (SELECT TraceId FROM {{ table('assembly_traces') }})
    ),
    continuing AS (
        SELECT TraceId, Project, any(Start) AS Start, argMin(Prefix, Place) AS HistoryKey
        FROM {{ table('assembly_histories') }} ARRAY JOIN Prefixes AS Prefix, arrayEnumerate(Prefixes) AS Place
        WHERE (Project, Prefix) IN (SELECT Project, HistoryKey FROM left_behind)
            AND TraceId NOT IN (SELECT TraceId FROM {{ table('assembly_traces') }} WHERE OldBasis = 'history')
        GROUP BY TraceId, Project
    ),
    latest AS (
        SELECT TrajectoryId, argMax(TraceId, (Start, TraceId)) AS LastTraceId
        FROM {{ table('trajectory_traces') }} FINAL
        WHERE TrajectoryId IN (SELECT TrajectoryId FROM left_behind WHERE TrajectoryId != ''
                               AND (Project, HistoryKey) IN (SELECT Project, HistoryKey FROM continuing))
        GROUP BY TrajectoryId
    )
SELECT c.TraceId, a.Target
FROM (
    SELECT *, row_number() OVER (PARTITION BY Project, HistoryKey ORDER BY Start, TraceId) AS Place FROM continuing
) AS c
INNER JOIN (
    SELECT *,
        row_number() OVER (PARTITION BY Project, HistoryKey
            ORDER BY TrajectoryId != '' AND TraceId NOT IN (SELECT LastTraceId FROM latest), Start, TraceId) AS Place,
        count() OVER (PARTITION BY Project, HistoryKey) AS Many
    FROM left_behind WHERE (Project, HistoryKey) IN (SELECT Project, HistoryKey FROM continuing)
) AS a ON a.Project = c.Project AND a.HistoryKey = c.HistoryKey
WHERE a.Place = least(c.Place, a.Many) AND a.TraceId != c.TraceId
