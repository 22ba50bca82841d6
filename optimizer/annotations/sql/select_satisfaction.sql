-- What is thought of trajectories of production, by the end of each; the target is the last trace, as a whole. Only the trajectories of a
-- window are looked up. One that went on is open until it is judged anew: what was said of it stands meanwhile, if it still ends in that trace.
--
-- Parameters: since_ms Int64; agents, traces Array(String), empty = all; after_ms Int64, after_trace, after_id String: the last row of the
-- window before; page UInt32.
-- Rows: MomentMs, TraceId, SpanId '', Identifier (the trajectory), Project, AgentName, FoundMs, then ConversationId, Probability, Method,
-- Evidence, Open (not to be written yet), Holds (whether it is open or there is a probability). By moment, trace, identifier.
WITH told AS (
    SELECT
        toUnixTimestamp64Milli(toDateTime64(End, 3)) AS MomentMs, TraceIds[-1] AS TraceId, TrajectoryId AS Identifier, Project, AgentName,
        ConversationId, State = 'open' AS Open
    FROM {{ table('trajectories') }} FINAL
    WHERE RunId = '' AND notEmpty(TraceIds) AND End >= fromUnixTimestamp64Milli({since_ms:Int64})
        AND (empty({agents:Array(String)}) OR AgentName IN {agents:Array(String)})
        AND (empty({traces:Array(String)}) OR TraceId IN {traces:Array(String)})
        AND (MomentMs, TraceId, Identifier) > ({after_ms:Int64}, {after_trace:String}, {after_id:String})
    ORDER BY MomentMs, TraceId, Identifier
    LIMIT {page:UInt32}
)
SELECT
    told.MomentMs AS MomentMs, told.TraceId AS TraceId, '' AS SpanId, told.Identifier AS Identifier, told.Project AS Project,
    told.AgentName AS AgentName, told.ConversationId AS ConversationId, score.Version AS FoundMs, score.Probability AS Probability,
    score.Method AS Method, arrayMap(e -> (e.1, e.2), score.Evidence) AS Evidence, told.Open AS Open,
    told.Open OR score.Probability IS NOT NULL AS Holds
FROM told
LEFT JOIN (
    SELECT TrajectoryId, Probability, Method, Evidence, Version FROM {{ table('trajectory_satisfaction') }} FINAL
    WHERE TrajectoryId IN (SELECT Identifier FROM told)
) AS score ON score.TrajectoryId = told.Identifier
ORDER BY MomentMs, TraceId, Identifier
SETTINGS join_use_nulls = 0
