-- The newest estimate of every intent, with the request that is most typical of it; the most frequent first.
SELECT
    substring(ifNull(t.Opening, ''), 1, 160) AS "A typical request", r.Rate AS Satisfied, r.Low AS "At least", r.High AS "At most",
    r.RateAmongRaters AS "Of those who rated", r.Trajectories AS Conversations, r.Labelled AS "Labelled at random",
    r.Raters AS "Rated by users", r.Method AS "Rests on", r.Value AS Intent
FROM (
    SELECT * FROM satisfaction_rates
    WHERE Dimension = 'intent'
        AND (Project, ComputedAt) IN (
            SELECT Project, max(ComputedAt) FROM satisfaction_rates
            WHERE Dimension = 'intent' AND $__conditionalAll(Project = ${project:singlequote}, $project)
            GROUP BY Project
        )
) AS r
LEFT JOIN (SELECT Stratum, Example FROM intent_clusters FINAL) AS c ON c.Stratum = r.Value
LEFT JOIN (
    SELECT TrajectoryId, Opening FROM trajectories FINAL
    WHERE TrajectoryId IN (SELECT Example FROM intent_clusters FINAL)
) AS t ON t.TrajectoryId = c.Example
ORDER BY Conversations DESC, Intent
LIMIT 100
SETTINGS join_use_nulls = 1
