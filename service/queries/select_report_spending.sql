-- What spanloop itself spent on models: leases of one agent (and of all together) by stage and role, and the judges of analyses.
--
-- Parameters: agent:String, since, until:DateTime64(3). Rows: by stage and role. US dollars are a sum of those that are known;
-- unpriced counts leases (analyses) of unknown cost, open those that are not settled.
SELECT stage, role, tokens, cost_usd, unpriced, open
FROM (
    SELECT
        toString(Stage) AS stage, toString(Role) AS role, sum(Tokens) AS tokens, sum(CostUsd) AS cost_usd,
        countIf(CostUsd IS NULL) AS unpriced, countIf(State = 'open') AS open
    FROM {{ table('budget_ledger') }} FINAL
    WHERE AgentName IN ('', {agent:String}) AND TakenAt >= {since:DateTime64(3)} AND TakenAt <= {until:DateTime64(3)}
    GROUP BY stage, role
    UNION ALL
    SELECT
        'analysis' AS stage, 'judge' AS role, sum(Tokens) AS tokens, sum(CostUsd) AS cost_usd, countIf(CostUsd IS NULL) AS unpriced,
        toUInt64(0) AS open
    FROM {{ table('analyses') }}
    WHERE startsWith(Stage, 'report/') AND Tokens > 0
      AND FinishedAt >= {since:DateTime64(3)} AND FinishedAt <= {until:DateTime64(3)}
    HAVING count() > 0
)
ORDER BY stage, role
