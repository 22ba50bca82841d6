-- Find one experiment by its id or the beginning of it.
--
-- Parameters: id:String. Rows: at most two, so that an ambiguous beginning is seen.
SELECT
    ExperimentId AS experiment, Project AS project, AgentName AS agent, CycleId AS cycle, CandidateId AS candidate, Purpose AS purpose,
    State AS state, Verdict AS verdict, Reason AS reason, Target AS target, BaselineHash AS baseline_hash,
    CandidateHash AS candidate_hash, length(Scenarios) AS scenarios, ScenarioSetHash AS scenario_set_hash, Repeats AS repeats, Seed AS seed,
    AssessorVersion AS assessor, AlphaSpent AS level, ScenariosClosed AS closed, Effect AS effect, EffectLow AS effect_low,
    EffectHigh AS effect_high, EValue AS e_value, Numbers AS numbers, Tokens AS tokens, CostUsd AS cost_usd, StartedAt AS started,
    DecidedAt AS decided
FROM {{ table('experiments') }} FINAL
WHERE ExperimentId = {id:String} OR (length({id:String}) >= 4 AND startsWith(ExperimentId, {id:String}))
ORDER BY ExperimentId != {id:String}, ExperimentId
LIMIT 2
