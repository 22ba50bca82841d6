-- Agents with at least {fewest:UInt64} comparable trajectories (completeness >= {completeness:Float32}): Project, AgentName,
-- trajectories, names of the models of its newest trajectory, when these were first seen. The busiest first.
WITH
    mine AS (
        SELECT Project, AgentName, Models, Start FROM {{ table('trajectories') }} FINAL
        WHERE State = 'closed' AND Completeness >= {completeness:Float32} AND RunId = '' AND AgentName != ''
    ),
    newest AS (SELECT Project, AgentName, argMax(Models, Start) AS models FROM mine GROUP BY Project, AgentName)
SELECT
    mine.Project, mine.AgentName, count() AS trajectories, any(newest.models) AS models,
    minIf(mine.Start, hasAll(mine.Models, newest.models)) AS since
FROM mine
INNER JOIN newest ON newest.Project = mine.Project AND newest.AgentName = mine.AgentName
GROUP BY mine.Project, mine.AgentName
HAVING trajectories >= {fewest:UInt64}
ORDER BY trajectories DESC, mine.Project, mine.AgentName
