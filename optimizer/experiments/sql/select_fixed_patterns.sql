-- Patterns of the agent {agent:String} of the project {project:String} that were fixed earlier: a shipped candidate was aimed at them, or
-- they went away. By PatternId.
SELECT PatternId
FROM {{ table('candidates') }} FINAL
WHERE Project = {project:String} AND AgentName = {agent:String} AND State = 'shipped' AND PatternId != ''
UNION DISTINCT
SELECT PatternId
FROM {{ table('failure_patterns') }} FINAL
WHERE Project = {project:String} AND has(Agents, {agent:String}) AND State IN ('mitigated', 'resolved')
ORDER BY PatternId
