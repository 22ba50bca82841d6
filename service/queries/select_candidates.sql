-- List candidates, the newest first.
--
-- Parameters: agent, state, pattern: String ('' = any; of state: any but empty), n:UInt32.
SELECT
    CandidateId AS candidate, AgentName AS agent, State AS state, Category AS category, Intervention AS intervention,
    Engine AS engine, PatternId AS pattern, Reasons AS reasons, Tokens AS tokens, CostUsd AS cost_usd, CreatedAt AS created_at,
    Rationale AS rationale
FROM {{ table('candidates') }} FINAL
WHERE ({agent:String} = '' OR AgentName = {agent:String})
  AND if({state:String} = '', State != 'empty', State = {state:String})
  AND ({pattern:String} = '' OR startsWith(PatternId, {pattern:String}))
ORDER BY CreatedAt DESC, PatternId, CandidateId
LIMIT {n:UInt32}
