-- The newest estimate of every agent; that with most conversations first. NULL = unknown.
SELECT
    Value AS Agent, Rate AS Satisfied, Low AS "At least", High AS "At most", RateAmongRaters AS "Of those who rated",
    Trajectories AS Conversations, Labelled AS "Labelled at random", Raters AS "Rated by users", Method AS "Rests on",
    ComputedAt AS Estimated
FROM satisfaction_rates
WHERE Dimension = 'agent' AND $__conditionalAll(Value IN (${agent:singlequote}), $agent)
    AND (Project, ComputedAt) IN (
        SELECT Project, max(ComputedAt) FROM satisfaction_rates
        WHERE Dimension = 'agent' AND $__conditionalAll(Project = ${project:singlequote}, $project)
        GROUP BY Project
    )
ORDER BY Conversations DESC, Agent
