-- Agents with at least {fewest:UInt64} comparable trajectories (completeness >= {completeness:Float32}): Project, AgentName,
-- trajectories, names of the models of its newest trajectory. The busiest first.
SELECT Project, AgentName, count() AS trajectories, argMax(Models, Start) AS models
FROM {{ table('trajectories') }} FINAL
WHERE State = 'closed' AND Completeness >= {completeness:Float32} AND RunId = '' AND AgentName != ''
GROUP BY Project, AgentName
HAVING trajectories >= {fewest:UInt64}
ORDER BY trajectories DESC, Project, AgentName
