-- Every number that the verdict of the chosen experiment (the newest one when none is chosen) rests on.
SELECT number.name AS Number, number.value AS Value, number.low AS "At least", number.high AS "At most", number.method AS "How it was computed"
FROM (
    SELECT Numbers FROM experiments FINAL
    WHERE $__conditionalAll(Project = ${project:singlequote}, $project)
        AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
        AND $__conditionalAll(ExperimentId = ${experiment:singlequote}, $experiment)
    ORDER BY StartedAt DESC, ExperimentId
    LIMIT 1
)
ARRAY JOIN Numbers AS number
