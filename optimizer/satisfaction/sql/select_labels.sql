-- One label a trajectory: a person who was asked to look counts before an observed outcome, that before feedback.
--
-- Parameters: labelled:UInt64 (most of them). Rows: TrajectoryId, Satisfied (mean over the best source); newest first.
SELECT TrajectoryId, avg(Satisfied) AS Satisfied
FROM (
    SELECT TrajectoryId, Satisfied, Timestamp, Rank, min(Rank) OVER (PARTITION BY TrajectoryId) AS Best
    FROM (
        SELECT TrajectoryId, Satisfied, Timestamp, transform(Source, ['label', 'outcome', 'feedback'], [1, 2, 3], 4) AS Rank
        FROM {{ table('trajectory_labels') }}
    )
)
WHERE Rank = Best
GROUP BY TrajectoryId
ORDER BY max(Timestamp) DESC, TrajectoryId
LIMIT {labelled:UInt64}
