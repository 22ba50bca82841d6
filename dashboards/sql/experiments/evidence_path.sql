-- How the evidence of the chosen experiment (the newest one that was looked at, when none is chosen) grew, look by look.
-- Rows: scenarios played, e-value, e-value that ships; by scenarios played.
SELECT
    Closed AS "Scenarios played", argMax(EValue, LookedAt) AS "Evidence that it is better",
    if(argMax(AlphaAllotted, LookedAt) > 0, 1 / argMax(AlphaAllotted, LookedAt), NULL) AS "Evidence needed to ship"
FROM holdout_ledger
WHERE ExperimentId = (
        SELECT argMax(ExperimentId, LookedAt) FROM holdout_ledger
        WHERE $__conditionalAll(Project = ${project:singlequote}, $project)
            AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
            AND $__conditionalAll(ExperimentId = ${experiment:singlequote}, $experiment)
    )
GROUP BY "Scenarios played"
ORDER BY "Scenarios played"
