-- Traces that scenarios were made of, each as a whole.
--
-- Parameters: since_ms Int64; agents, traces Array(String), empty = all; after_ms Int64, after_trace, after_id String: the last row of the
-- window before; page UInt32.
-- Rows: MomentMs, TraceId, SpanId '', Identifier (the scenario), Project, AgentName, FoundMs, then Origin, Split, Goal. By moment, trace,
-- identifier.
SELECT * FROM (
    SELECT
        toUnixTimestamp64Milli(LastSeen) AS MomentMs, arrayJoin(arrayDistinct(TraceIds)) AS TraceId, '' AS SpanId, ScenarioId AS Identifier,
        Project, AgentName, Version AS FoundMs, Origin, Split, Goal
    FROM {{ table('scenarios') }} FINAL
    WHERE State = 'active' AND LastSeen >= fromUnixTimestamp64Milli({since_ms:Int64})
        AND (empty({agents:Array(String)}) OR AgentName IN {agents:Array(String)})
)
WHERE (MomentMs, TraceId, Identifier) > ({after_ms:Int64}, {after_trace:String}, {after_id:String})
    AND (empty({traces:Array(String)}) OR TraceId IN {traces:Array(String)})
ORDER BY MomentMs, TraceId, Identifier
LIMIT {page:UInt32}
