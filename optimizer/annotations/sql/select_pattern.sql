-- Trajectories of production that show a failure pattern, each at the span of the step at which it first went wrong.
--
-- Parameters: since_ms Int64; agents Array(String), empty = all; after_ms Int64, after_trace, after_id String: the last row of the page
-- before; page UInt32.
-- Rows: MomentMs, TraceId, SpanId, Identifier (the pattern), Project, AgentName, FoundMs, then TrajectoryId, Category, Title, Explanation,
-- DeviatingStep, EvidenceSteps. By moment, trace, identifier.
SELECT * FROM (
    SELECT
        toUnixTimestamp64Milli(toDateTime64(member.Timestamp, 3)) AS MomentMs, member.TraceId AS TraceId, member.SpanId AS SpanId,
        member.PatternId AS Identifier, told.Project AS Project, told.AgentName AS AgentName, member.Version AS FoundMs,
        member.TrajectoryId AS TrajectoryId, pattern.Category AS Category, pattern.Title AS Title, pattern.Explanation AS Explanation,
        member.DeviatingStep AS DeviatingStep, member.EvidenceSteps AS EvidenceSteps
    FROM (
        SELECT * FROM {{ table('pattern_members') }} FINAL
        WHERE TraceId != '' AND Timestamp >= fromUnixTimestamp64Milli({since_ms:Int64})
    ) AS member
    INNER JOIN (
        SELECT TrajectoryId, Project, AgentName FROM {{ table('trajectories') }} FINAL
        WHERE RunId = '' AND (empty({agents:Array(String)}) OR AgentName IN {agents:Array(String)})
    ) AS told ON told.TrajectoryId = member.TrajectoryId
    INNER JOIN (SELECT PatternId, Category, Title, Explanation FROM {{ table('failure_patterns') }} FINAL) AS pattern
        ON pattern.PatternId = member.PatternId
)
WHERE (MomentMs, TraceId, Identifier) > ({after_ms:Int64}, {after_trace:String}, {after_id:String})
ORDER BY MomentMs, TraceId, Identifier
LIMIT {page:UInt32}
