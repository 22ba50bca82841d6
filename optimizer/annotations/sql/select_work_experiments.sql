-- Decided experiments of a cycle; '' = those run by hand, decided since a time.
--
-- Parameters: cycle String; since_ms Int64 (used where cycle is ''). Rows: ExperimentId, Project, AgentName, CandidateId, Purpose, Verdict, Reason,
-- Effect, EffectLow, EffectHigh, EValue, ScenariosClosed, Tokens, CostUsd, start and end in Unix milliseconds. By start, id.
SELECT
    ExperimentId, Project, AgentName, CandidateId, Purpose, Verdict, Reason, Effect, EffectLow, EffectHigh, EValue, ScenariosClosed, Tokens,
    CostUsd, toUnixTimestamp64Milli(StartedAt) AS StartMs, toUnixTimestamp64Milli(assumeNotNull(DecidedAt)) AS EndMs
FROM {{ table('experiments') }} FINAL
WHERE State = 'decided' AND DecidedAt IS NOT NULL AND CycleId = {cycle:String}
    AND ({cycle:String} != '' OR DecidedAt >= fromUnixTimestamp64Milli({since_ms:Int64}))
ORDER BY StartMs, ExperimentId
