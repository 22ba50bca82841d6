-- How releases stand, at the oldest trace of each scenario that the experiment behind it played and that shows the pattern it answers;
-- the moment of each is its last change.
--
-- Parameters: since_ms Int64; agents, traces Array(String), empty = all; after_ms Int64, after_trace, after_id String: the last row of the
-- window before; page UInt32.
-- Rows: MomentMs, TraceId, SpanId '', Identifier (the release), Project, AgentName, FoundMs, then Number, State, Effect, PatternId,
-- CandidateId, ExperimentId. By moment, trace, identifier.
SELECT * FROM (
    SELECT DISTINCT
        toInt64(release.Version) AS MomentMs, scenario.TraceIds[-1] AS TraceId, '' AS SpanId,
        release.ReleaseId AS Identifier, release.Project AS Project, release.AgentName AS AgentName, release.Version AS FoundMs,
        release.Number AS Number, release.State AS State, release.Effect AS Effect, candidate.PatternId AS PatternId,
        release.CandidateId AS CandidateId, release.ExperimentId AS ExperimentId
    FROM (
        SELECT * FROM {{ table('releases') }} FINAL
        WHERE ExperimentId != '' AND Version >= {since_ms:Int64}
            AND (empty({agents:Array(String)}) OR AgentName IN {agents:Array(String)})
    ) AS release
    INNER JOIN (
        SELECT ExperimentId, ScenarioId FROM {{ table('experiments') }} FINAL ARRAY JOIN Scenarios AS ScenarioId
    ) AS test ON test.ExperimentId = release.ExperimentId
    INNER JOIN (SELECT CandidateId, PatternId FROM {{ table('candidates') }} FINAL) AS candidate
        ON candidate.CandidateId = release.CandidateId
    INNER JOIN (SELECT ScenarioId, TraceIds, PatternIds FROM {{ table('scenarios') }} FINAL WHERE notEmpty(TraceIds)) AS scenario
        ON scenario.ScenarioId = test.ScenarioId
    WHERE has(scenario.PatternIds, candidate.PatternId)
)
WHERE (MomentMs, TraceId, Identifier) > ({after_ms:Int64}, {after_trace:String}, {after_id:String})
    AND (empty({traces:Array(String)}) OR TraceId IN {traces:Array(String)})
ORDER BY MomentMs, TraceId, Identifier
LIMIT {page:UInt32}
