-- Of each day's conversations, the share that shows a pattern: the ten patterns with most conversations.
-- Rows: time (day, UTC), pattern, share; by time.
WITH top AS (
    SELECT PatternId, Title FROM failure_patterns FINAL
    WHERE $__conditionalAll(Project = ${project:singlequote}, $project)
        AND $__conditionalAll(hasAny(Agents, [${agent:singlequote}]), $agent)
    ORDER BY Members DESC, PatternId
    LIMIT 10
),
days AS (
    SELECT TrajectoryId, toStartOfDay(Start, 'UTC') AS day
    FROM trajectories FINAL
    WHERE $__timeFilter(Start) AND RunId = '' AND State = 'closed'
        AND $__conditionalAll(Project = ${project:singlequote}, $project)
        AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
)
SELECT m.day AS time, p.Title AS Pattern, count() / any(a.total) AS Value
FROM (SELECT PatternId, TrajectoryId FROM pattern_members FINAL WHERE PatternId IN (SELECT PatternId FROM top)) AS pm
INNER JOIN days AS m ON m.TrajectoryId = pm.TrajectoryId
INNER JOIN top AS p ON p.PatternId = pm.PatternId
INNER JOIN (SELECT day, count() AS total FROM days GROUP BY day) AS a ON a.day = m.day
GROUP BY time, Pattern
ORDER BY time, Pattern
