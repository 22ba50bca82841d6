-- List experiments, newest first.
--
-- Parameters: agent, candidate: String ('' = any), n:UInt32.
SELECT
    ExperimentId AS experiment, AgentName AS agent, CandidateId AS candidate, Purpose AS purpose, State AS state, Verdict AS verdict,
    Reason AS reason, Effect AS effect, EffectLow AS effect_low, EffectHigh AS effect_high, EValue AS e_value, AlphaSpent AS level,
    ScenariosClosed AS closed, length(Scenarios) AS scenarios, Repeats AS repeats, Tokens AS tokens, CostUsd AS cost_usd,
    StartedAt AS started, DecidedAt AS decided
FROM {{ table('experiments') }} FINAL
WHERE ({agent:String} = '' OR AgentName = {agent:String})
  AND ({candidate:String} = '' OR startsWith(CandidateId, {candidate:String}))
ORDER BY StartedAt DESC, ExperimentId
LIMIT {n:UInt32}
