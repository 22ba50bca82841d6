-- What the loop itself spent on models, by stage and role. Open leases are counted with what they were granted.
SELECT
    Stage, Role, if(AgentName = '', 'all', AgentName) AS Agent, count() AS Leases,
    sum(if(State = 'settled', Tokens, MaxTokens)) AS Tokens, sumIf(CostUsd, State = 'settled') AS Cost,
    countIf(State = 'settled' AND CostUsd IS NULL) AS "Without a price", countIf(State = 'open') AS Open, countIf(State = 'forfeited') AS Forfeited
FROM budget_ledger FINAL
WHERE $__timeFilter(TakenAt) AND $__conditionalAll(Project = ${project:singlequote}, $project)
    AND (AgentName = '' OR $__conditionalAll(AgentName IN (${agent:singlequote}), $agent))
GROUP BY Stage, Role, Agent
ORDER BY Tokens DESC, Stage, Role, Agent
