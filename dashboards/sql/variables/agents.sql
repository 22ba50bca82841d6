-- Agents that an analysis has seen in production. Rows: name.
SELECT DISTINCT AgentName
FROM trajectories
WHERE AgentName != '' AND RunId = '' AND $__conditionalAll(Project = ${project:singlequote}, $project)
ORDER BY AgentName
