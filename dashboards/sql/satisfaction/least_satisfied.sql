-- Conversations that most probably satisfied nobody, the worst first; of production only.
WITH worst AS (
    SELECT s.TrajectoryId AS id, s.Probability AS probability, s.Evidence AS evidence
    FROM (
        SELECT TrajectoryId, Probability, Evidence FROM trajectory_satisfaction FINAL WHERE Probability IS NOT NULL
    ) AS s
    INNER JOIN (
        SELECT TrajectoryId FROM trajectories FINAL
        WHERE $__timeFilter(Start) AND RunId = '' AND State = 'closed'
            AND $__conditionalAll(Project = ${project:singlequote}, $project)
            AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
            AND $__conditionalAll(Release IN (${release:singlequote}), $release)
    ) AS t ON t.TrajectoryId = s.TrajectoryId
    ORDER BY probability, id
    LIMIT 100
)
SELECT
    t.Start AS Began, t.AgentName AS Agent, t.Release AS Release, substring(ifNull(t.Opening, ''), 1, 160) AS "What the user asked",
    w.probability AS "Probability of satisfaction",
    arrayStringConcat(arrayMap(e -> e.1, arrayFilter(e -> e.2 < 0, w.evidence)), ', ') AS "What speaks against it",
    t.Turns AS Turns, t.Errors AS Errors, t.TraceIds[1] AS Trace
FROM (SELECT * FROM trajectories FINAL WHERE TrajectoryId IN (SELECT id FROM worst)) AS t
INNER JOIN worst AS w ON w.id = t.TrajectoryId
ORDER BY w.probability, t.TrajectoryId
