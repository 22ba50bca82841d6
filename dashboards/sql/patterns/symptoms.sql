-- What looks wrong in conversations, whether or not it recurs as a pattern; the commonest first. Of production only.
SELECT
    s.Symptom AS Symptom, uniqExact(s.TrajectoryId) AS Conversations, uniqExact(s.TrajectoryId) / any(t.total) AS "Share of all",
    avg(p.Probability) AS "Mean probability of satisfaction", arrayStringConcat(arrayFilter(d -> d != '', topK(3)(s.Detail)), ', ') AS "Where most"
FROM (SELECT TrajectoryId, Symptom, Detail FROM trajectory_symptoms FINAL) AS s
INNER JOIN (
    SELECT TrajectoryId, count() OVER () AS total FROM trajectories FINAL
    WHERE $__timeFilter(Start) AND RunId = '' AND State = 'closed'
        AND $__conditionalAll(Project = ${project:singlequote}, $project)
        AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
) AS t ON t.TrajectoryId = s.TrajectoryId
LEFT JOIN (SELECT TrajectoryId, Probability FROM trajectory_satisfaction FINAL) AS p ON p.TrajectoryId = s.TrajectoryId
GROUP BY Symptom
ORDER BY Conversations DESC, Symptom
SETTINGS join_use_nulls = 1
