-- Conversations that show the chosen pattern (the most harmful one when none is chosen), and the step at which each went wrong;
-- the newest first.
WITH members AS (
    SELECT TrajectoryId, Timestamp, DeviatingStep, TraceId
    FROM pattern_members FINAL
    WHERE PatternId = (
            SELECT PatternId FROM failure_patterns FINAL
            WHERE $__conditionalAll(Project = ${project:singlequote}, $project)
                AND $__conditionalAll(PatternId = ${pattern:singlequote}, $pattern)
            ORDER BY isNull(Lift), ifNull(Lift, 0) * Members DESC, Members DESC, PatternId
            LIMIT 1
        )
        AND $__timeFilter(Timestamp)
        AND TrajectoryId IN (
            SELECT TrajectoryId FROM trajectories FINAL
            WHERE RunId = '' AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
        )
    ORDER BY Timestamp DESC, TrajectoryId
    LIMIT 100
)
SELECT
    m.Timestamp AS "When", t.AgentName AS Agent, substring(ifNull(t.Opening, ''), 1, 120) AS "What the user asked",
    m.DeviatingStep AS Step, trim(concat(ifNull(s.Kind, ''), ' ', ifNull(s.Name, ''))) AS "Went wrong at",
    substring(coalesce(s.Text, s.Arguments, ''), 1, 160) AS "What it said or sent", substring(ifNull(s.Result, ''), 1, 160) AS "What came back",
    p.Probability AS "Probability of satisfaction", if(m.TraceId = '', t.TraceIds[1], m.TraceId) AS Trace
FROM members AS m
INNER JOIN (
    SELECT TrajectoryId, AgentName, Opening, TraceIds FROM trajectories FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM members)
) AS t ON t.TrajectoryId = m.TrajectoryId
LEFT JOIN (
    SELECT TrajectoryId, Step, Kind, Name, Text, Arguments, Result FROM trajectory_steps FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM members)
) AS s ON s.TrajectoryId = m.TrajectoryId AND s.Step = m.DeviatingStep
LEFT JOIN (
    SELECT TrajectoryId, Probability FROM trajectory_satisfaction FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM members)
) AS p ON p.TrajectoryId = m.TrajectoryId
ORDER BY m.Timestamp DESC, m.TrajectoryId
SETTINGS join_use_nulls = 1
