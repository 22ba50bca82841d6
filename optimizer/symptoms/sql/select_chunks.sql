-- First and last id, and number, of each chunk of at most {trajectories:UInt64} changed trajectories. In order.
SELECT min(TrajectoryId), max(TrajectoryId), count()
FROM (
    SELECT TrajectoryId, intDiv(row_number() OVER (ORDER BY TrajectoryId) - 1, {trajectories:UInt64}) AS Chunk
    FROM (SELECT DISTINCT TrajectoryId FROM {{ table('changed_trajectories') }})
)
GROUP BY Chunk
ORDER BY 1
