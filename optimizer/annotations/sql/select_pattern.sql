-- Trajectories of production that show a failure pattern, each at the span of the step at which it first went wrong. Only the trajectories
-- of a window are looked up.
--
-- Parameters: since_ms Int64; agents, traces Array(String), empty = all; after_ms Int64, after_trace, after_id String: the last row of the
-- window before; page UInt32.
-- Rows: MomentMs, TraceId, SpanId, Identifier (the pattern), Project, AgentName, FoundMs, then TrajectoryId, Category, Title, Explanation,
-- DeviatingStep, EvidenceSteps, Holds (whether it is production of these agents, and the pattern is known). By moment, trace, identifier.
WITH member AS (
    SELECT
        toUnixTimestamp64Milli(toDateTime64(Timestamp, 3)) AS MomentMs, TraceId, SpanId, PatternId AS Identifier, TrajectoryId,
        DeviatingStep, EvidenceSteps, Version AS FoundMs
    FROM {{ table('pattern_members') }} FINAL
    WHERE TraceId != '' AND Timestamp >= fromUnixTimestamp64Milli({since_ms:Int64})
        AND (empty({traces:Array(String)}) OR TraceId IN {traces:Array(String)})
        AND (MomentMs, TraceId, Identifier) > ({after_ms:Int64}, {after_trace:String}, {after_id:String})
    ORDER BY MomentMs, TraceId, Identifier
    LIMIT {page:UInt32}
)
SELECT
    member.MomentMs AS MomentMs, member.TraceId AS TraceId, member.SpanId AS SpanId, member.Identifier AS Identifier,
    told.Project AS Project, told.AgentName AS AgentName, member.FoundMs AS FoundMs, member.TrajectoryId AS TrajectoryId,
    pattern.Category AS Category, pattern.Title AS Title, pattern.Explanation AS Explanation, member.DeviatingStep AS DeviatingStep,
    member.EvidenceSteps AS EvidenceSteps, told.TrajectoryId != '' AND pattern.PatternId != '' AS Holds
FROM member
LEFT JOIN (
    SELECT TrajectoryId, Project, AgentName FROM {{ table('trajectories') }} FINAL
    WHERE RunId = '' AND (empty({agents:Array(String)}) OR AgentName IN {agents:Array(String)})
        AND TrajectoryId IN (SELECT TrajectoryId FROM member)
) AS told ON told.TrajectoryId = member.TrajectoryId
LEFT JOIN (SELECT PatternId, Category, Title, Explanation FROM {{ table('failure_patterns') }} FINAL) AS pattern
    ON pattern.PatternId = member.Identifier
ORDER BY MomentMs, TraceId, Identifier
SETTINGS join_use_nulls = 0
