-- Judgements of production that do not stand in the trace already: feedback, labels, outcomes, judges. One that names only a
-- conversation is about its last trace.
--
-- Parameters: since_ms Int64; agents, traces Array(String), empty = all; after_ms Int64, after_trace, after_id String: the last row of the
-- window before; page UInt32.
-- Rows: MomentMs, TraceId, SpanId ('' = the whole trace), Identifier (the assessment), Project, AgentName, FoundMs, then ConversationId,
-- Source, Name, Score, Label, Explanation. By moment, trace, identifier.
WITH judged AS (
    SELECT * FROM {{ table('assessments') }} FINAL
    WHERE Timestamp >= fromUnixTimestamp64Milli({since_ms:Int64}) AND Carrier NOT IN ('span_event', 'child_span', 'attributes')
), told AS (
    SELECT TrajectoryId, Project, AgentName, ConversationId, TraceIds FROM {{ table('trajectories') }} FINAL
    WHERE RunId = '' AND notEmpty(TraceIds) AND (empty({agents:Array(String)}) OR AgentName IN {agents:Array(String)})
)
SELECT * FROM (
    SELECT
        toUnixTimestamp64Milli(toDateTime64(judged.Timestamp, 3)) AS MomentMs, judged.TraceId AS TraceId, judged.SpanId AS SpanId,
        judged.AssessmentId AS Identifier, judged.Project AS Project, told.AgentName AS AgentName,
        toUnixTimestamp64Milli(toDateTime64(judged.Timestamp, 3)) AS FoundMs, told.ConversationId AS ConversationId, judged.Source AS Source,
        judged.Name AS Name, judged.Score AS Score, judged.Label AS Label, judged.Explanation AS Explanation
    FROM judged
    INNER JOIN (SELECT TrajectoryId, TraceId FROM {{ table('trajectory_traces') }} FINAL) AS part ON part.TraceId = judged.TraceId
    INNER JOIN told ON told.TrajectoryId = part.TrajectoryId
    WHERE judged.TraceId != '' AND told.Project = judged.Project
    UNION ALL
    SELECT
        toUnixTimestamp64Milli(toDateTime64(judged.Timestamp, 3)) AS MomentMs, told.TraceIds[-1] AS TraceId, '' AS SpanId,
        judged.AssessmentId AS Identifier, judged.Project AS Project, told.AgentName AS AgentName,
        toUnixTimestamp64Milli(toDateTime64(judged.Timestamp, 3)) AS FoundMs, told.ConversationId AS ConversationId, judged.Source AS Source,
        judged.Name AS Name, judged.Score AS Score, judged.Label AS Label, judged.Explanation AS Explanation
    FROM judged
    INNER JOIN told ON told.ConversationId = judged.ConversationId AND told.Project = judged.Project
    WHERE judged.TraceId = '' AND judged.ConversationId != ''
)
WHERE (MomentMs, TraceId, Identifier) > ({after_ms:Int64}, {after_trace:String}, {after_id:String})
    AND (empty({traces:Array(String)}) OR TraceId IN {traces:Array(String)})
ORDER BY MomentMs, TraceId, Identifier
LIMIT {page:UInt32}
