-- Candidates in the order in which they were made.
--
-- Parameters: agent:String ('' = any), cycle:String with any_cycle:UInt8 (1 = any), states:Array(String) (none = any but
-- empty), id:String ('' = any). Rows: columns in the order of spanloop.optimizer.candidates.stored.COLUMNS.
SELECT
    CandidateId, Project, AgentName, CycleId, PatternId, Category, Intervention, Engine, StrategyId, State, Reasons,
    BaselineHash, ConfigurationHash, Edits, EditHash, Configuration, Rationale, Scenarios, Tokens, CostUsd, CreatedAt,
    Version
FROM {{ table('candidates') }} FINAL
WHERE ({agent:String} = '' OR AgentName = {agent:String})
  AND ({any_cycle:UInt8} OR CycleId = {cycle:String})
  AND ({id:String} = '' OR CandidateId = {id:String})
  AND if(empty({states:Array(String)}), State != 'empty', has({states:Array(String)}, State))
ORDER BY CreatedAt, PatternId, CandidateId
