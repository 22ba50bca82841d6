-- Verdicts of experiments, at the oldest trace of each scenario that it played and that shows the pattern its candidate is aimed at.
--
-- Parameters: since_ms Int64; agents, traces Array(String), empty = all; after_ms Int64, after_trace, after_id String: the last row of the
-- window before; page UInt32.
-- Rows: MomentMs, TraceId, SpanId '', Identifier (the experiment), Project, AgentName, FoundMs, then Purpose, Verdict, Reason, Intervention,
-- Effect, EffectLow, EffectHigh, ScenariosClosed, PatternId, CandidateId. By moment, trace, identifier.
SELECT * FROM (
    SELECT DISTINCT
        toUnixTimestamp64Milli(assumeNotNull(test.DecidedAt)) AS MomentMs, scenario.TraceIds[-1] AS TraceId, '' AS SpanId,
        test.ExperimentId AS Identifier, test.Project AS Project, test.AgentName AS AgentName, MomentMs AS FoundMs, test.Purpose AS Purpose,
        test.Verdict AS Verdict, test.Reason AS Reason, candidate.Intervention AS Intervention, test.Effect AS Effect,
        test.EffectLow AS EffectLow, test.EffectHigh AS EffectHigh, test.ScenariosClosed AS ScenariosClosed,
        candidate.PatternId AS PatternId, test.CandidateId AS CandidateId
    FROM (
        SELECT *, ScenarioId FROM {{ table('experiments') }} FINAL
        ARRAY JOIN Scenarios AS ScenarioId
        WHERE State = 'decided' AND DecidedAt >= fromUnixTimestamp64Milli({since_ms:Int64})
            AND (empty({agents:Array(String)}) OR AgentName IN {agents:Array(String)})
    ) AS test
    INNER JOIN (SELECT CandidateId, PatternId, Intervention FROM {{ table('candidates') }} FINAL) AS candidate
        ON candidate.CandidateId = test.CandidateId
    INNER JOIN (SELECT ScenarioId, TraceIds, PatternIds FROM {{ table('scenarios') }} FINAL WHERE notEmpty(TraceIds)) AS scenario
        ON scenario.ScenarioId = test.ScenarioId
    WHERE has(scenario.PatternIds, candidate.PatternId)
)
WHERE (MomentMs, TraceId, Identifier) > ({after_ms:Int64}, {after_trace:String}, {after_id:String})
    AND (empty({traces:Array(String)}) OR TraceId IN {traces:Array(String)})
ORDER BY MomentMs, TraceId, Identifier
LIMIT {page:UInt32}
