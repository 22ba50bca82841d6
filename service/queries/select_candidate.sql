-- Find one candidate by its id or the beginning of it.
--
-- Parameters: id:String. Rows: at most two, so that an ambiguous beginning is seen.
SELECT
    CandidateId AS candidate, AgentName AS agent, CycleId AS cycle, PatternId AS pattern, Category AS category,
    Intervention AS intervention, Engine AS engine, StrategyId AS strategy, State AS state, Reasons AS reasons,
    BaselineHash AS baseline, ConfigurationHash AS result, Edits AS edits, Rationale AS rationale, Scenarios AS scenarios,
    Tokens AS tokens, CostUsd AS cost_usd, CreatedAt AS created_at
FROM {{ table('candidates') }} FINAL
WHERE CandidateId = {id:String} OR (length({id:String}) >= 4 AND startsWith(CandidateId, {id:String}))
ORDER BY CandidateId != {id:String}, CandidateId
LIMIT 2
