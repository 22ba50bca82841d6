-- What is thought of closed trajectories of production, by the end of each; the target is the last trace, as a whole.
--
-- Parameters: since_ms Int64; agents Array(String), empty = all; after_ms Int64, after_trace, after_id String: the last row of the page
-- before; page UInt32.
-- Rows: MomentMs, TraceId, SpanId '', Identifier (the trajectory), Project, AgentName, FoundMs, then ConversationId, Probability, Method,
-- Evidence. By moment, trace, identifier.
SELECT * FROM (
    SELECT
        toUnixTimestamp64Milli(toDateTime64(told.End, 3)) AS MomentMs, told.TraceIds[-1] AS TraceId, '' AS SpanId,
        told.TrajectoryId AS Identifier, told.Project AS Project, told.AgentName AS AgentName, score.Version AS FoundMs,
        told.ConversationId AS ConversationId, score.Probability AS Probability, score.Method AS Method, arrayMap(e -> (e.1, e.2), score.Evidence) AS Evidence
    FROM (
        SELECT * FROM {{ table('trajectories') }} FINAL
        WHERE RunId = '' AND State = 'closed' AND notEmpty(TraceIds) AND End >= fromUnixTimestamp64Milli({since_ms:Int64})
            AND (empty({agents:Array(String)}) OR AgentName IN {agents:Array(String)})
    ) AS told
    INNER JOIN (
        SELECT TrajectoryId, Probability, Method, Evidence, Version FROM {{ table('trajectory_satisfaction') }} FINAL
        WHERE Probability IS NOT NULL
    ) AS score ON score.TrajectoryId = told.TrajectoryId
)
WHERE (MomentMs, TraceId, Identifier) > ({after_ms:Int64}, {after_trace:String}, {after_id:String})
ORDER BY MomentMs, TraceId, Identifier
LIMIT {page:UInt32}
