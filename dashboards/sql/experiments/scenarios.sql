-- Situations taken from production that can be played again, by what they are kept for.
SELECT
    AgentName AS Agent, Split AS "Kept for", count() AS Scenarios, countIf(Origin = 'pattern') AS "Show a failure",
    countIf(Validity = 'reproduced') AS Reproduced, countIf(Validity = 'contradicted') AS Contradicted,
    countIf(Validity = 'unchecked') AS "Not checked yet"
FROM scenarios FINAL
WHERE State = 'active' AND $__conditionalAll(Project = ${project:singlequote}, $project)
    AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
GROUP BY Agent, "Kept for"
ORDER BY Agent, "Kept for"
