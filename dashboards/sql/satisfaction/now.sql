-- The newest estimate over all agents. One row; NULL = unknown.
SELECT
    Rate AS Satisfied, Low AS "At least", High AS "At most", RateAmongRaters AS "Of those who rated",
    Trajectories AS Conversations, Labelled AS "Labelled at random", Raters AS "Rated by users"
FROM satisfaction_rates
WHERE Dimension = 'all' AND $__conditionalAll(Project = ${project:singlequote}, $project)
ORDER BY ComputedAt DESC
LIMIT 1
