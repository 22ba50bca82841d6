-- Production traffic of one agent by day.
--
-- Parameters: agent:String, since, until:DateTime64(3). Rows: by day.
SELECT
    toDate(Start, 'UTC') AS day, count() AS conversations, countIf(Errors > 0) AS with_errors, sum(InputTokens) AS input_tokens,
    sum(OutputTokens) AS output_tokens, sum(CostUsd) AS cost_usd, countIf(CostUsd IS NULL) AS unpriced
FROM {{ table('trajectories') }} FINAL
WHERE RunId = '' AND AgentName = {agent:String} AND Start >= {since:DateTime64(3)} AND Start <= {until:DateTime64(3)}
GROUP BY day
ORDER BY day
