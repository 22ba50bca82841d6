-- Stages of the cycle {cycle:String}: Stage, Project, AgentName, State, Counts, Notes, Tokens, CostUsd, CpuSeconds. By start.
SELECT Stage, Project, AgentName, State, Counts, Notes, Tokens, CostUsd, CpuSeconds
FROM {{ table('cycles') }} FINAL
WHERE CycleId = {cycle:String} AND Stage != ''
ORDER BY StartedAt, Stage, AgentName
