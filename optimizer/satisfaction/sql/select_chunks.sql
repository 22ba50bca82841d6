-- First and last id of chunks of the changed trajectories, so that each statement reads one range of the primary key.
--
-- Parameters: size:UInt64 (trajectories a chunk). Rows: first, last, trajectories; in order.
SELECT min(TrajectoryId), max(TrajectoryId), count()
FROM (
    SELECT TrajectoryId, intDiv(row_number() OVER (ORDER BY TrajectoryId) - 1, {size:UInt64}) AS Chunk
    FROM (SELECT DISTINCT TrajectoryId FROM {{ table('changed_trajectories') }})
)
GROUP BY Chunk
ORDER BY 1
