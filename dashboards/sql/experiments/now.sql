-- What experiments came to, in the time shown. One row.
SELECT
    count() AS Experiments, countIf(Verdict = 'ship') AS "Shown better", countIf(Verdict = 'reject') AS "Turned down",
    countIf(Verdict IN ('inconclusive', 'unsupported')) AS Undecided, countIf(State != 'decided') AS "Under way",
    (
        SELECT count() FROM scenarios FINAL
        WHERE State = 'active' AND $__conditionalAll(Project = ${project:singlequote}, $project)
            AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
    ) AS "Scenarios to play"
FROM experiments FINAL
WHERE $__timeFilter(StartedAt) AND $__conditionalAll(Project = ${project:singlequote}, $project)
    AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
