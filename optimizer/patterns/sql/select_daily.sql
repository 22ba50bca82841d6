-- Comparable trajectories (closed, at least {completeness:Float64} complete) by project, agent and day, and members of each pattern among
-- them. '' is all trajectories. In order of pattern, project, day and agent.
SELECT PatternId, Project, AgentName, Day, Trajectories
FROM (
    SELECT '' AS PatternId, Project, AgentName, toDate(Start, 'UTC') AS Day, count() AS Trajectories
    FROM {{ table('trajectories') }} FINAL
    WHERE RunId = '' AND State = 'closed' AND Completeness >= {completeness:Float64}
    GROUP BY Project, AgentName, Day
    UNION ALL
    SELECT m.PatternId AS PatternId, t.Project AS Project, t.AgentName AS AgentName, toDate(t.Start, 'UTC') AS Day, count() AS Trajectories
    FROM (SELECT PatternId, TrajectoryId FROM {{ table('pattern_members') }} FINAL) AS m
    INNER JOIN (
        SELECT TrajectoryId, Project, AgentName, Start FROM {{ table('trajectories') }} FINAL
        WHERE RunId = '' AND State = 'closed' AND Completeness >= {completeness:Float64}
            AND TrajectoryId IN (SELECT TrajectoryId FROM {{ table('pattern_members') }})
    ) AS t ON t.TrajectoryId = m.TrajectoryId
    GROUP BY PatternId, Project, AgentName, Day
)
ORDER BY PatternId, Project, Day, AgentName
