-- Leases that nobody settled: LeaseId … Role, MaxTokens, MaxUsd, TakenAt, Version. By TakenAt.
SELECT
    LeaseId, CycleId, Stage, Project, AgentName, Purpose, Role, MaxTokens, MaxUsd, TakenAt, Version
FROM {{ table('budget_ledger') }} FINAL
WHERE State = 'open'
ORDER BY TakenAt, LeaseId
