-- System instructions of an agent's newest production trajectories, the most frequent first.
--
-- Parameters: agent:String, n:UInt32 (trajectories). Rows: System (NULL = not carried), trajectories, the newest of them.
SELECT System, count() AS trajectories, max(Start) AS newest
FROM
(
    SELECT System, Start
    FROM {{ table('trajectories') }} FINAL
    WHERE RunId = '' AND AgentName = {agent:String} AND ModelCalls > 0
    ORDER BY Start DESC, TrajectoryId
    LIMIT {n:UInt32}
)
GROUP BY System
ORDER BY trajectories DESC, newest DESC, System
