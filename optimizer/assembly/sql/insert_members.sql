-- Every trace of every changed trajectory; numbers run in the order of the days, so that a run of them lies in few partitions.
INSERT INTO {{ table('assembly_members') }}
WITH members AS (
    SELECT TrajectoryId, TraceId, Project, Basis, ConversationId, HistoryKey, Start, End, Spans, true AS Mapped
    FROM {{ table('assembly_mapping') }}
    UNION ALL
    SELECT TrajectoryId, TraceId, Project, Basis, ConversationId, HistoryKey, Start, End, toUInt32(10) AS Spans, false AS Mapped
    FROM {{ table('trajectory_traces') }} FINAL
    WHERE TraceId IN (
            SELECT arrayJoin(TraceIds) FROM {{ table('trajectories') }} FINAL
            WHERE TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }}))
        AND TraceId NOT IN (SELECT TraceId FROM {{ table('assembly_mapping') }})
        AND TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }})
)
SELECT
    numbered.N, m.TrajectoryId, m.TraceId, m.Project, m.Basis, m.ConversationId, m.HistoryKey, m.Start, m.End, m.Spans, m.Mapped
FROM members AS m
INNER JOIN (
    SELECT TrajectoryId, row_number() OVER (ORDER BY toDate(min(Start)), TrajectoryId) - 1 AS N
    FROM members GROUP BY TrajectoryId
) AS numbered ON numbered.TrajectoryId = m.TrajectoryId
