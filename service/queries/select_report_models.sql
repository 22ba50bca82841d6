-- What the conversations of one agent used, by model.
--
-- Parameters: agent:String, since, until:DateTime64(3). Rows: by calls. Tokens and US dollars are sums of those that are known;
-- untold and unpriced count the calls of which they are not.
SELECT
    if(ResponseModel != '', ResponseModel, RequestModel) AS model, Class AS class, count() AS calls, sum(InputTokens) AS input_tokens,
    sum(OutputTokens) AS output_tokens, countIf(InputTokens IS NULL) AS untold, sum(CostUsd) AS cost_usd,
    countIf(CostUsd IS NULL) AS unpriced, countIf(Status = 'Error') AS errors
FROM {{ table('genai_spans') }}
WHERE Class IN ('llm', 'embedding', 'rerank')
  AND Timestamp >= {since:DateTime64(3)} - INTERVAL 1 DAY AND Timestamp <= {until:DateTime64(3)} + INTERVAL 1 DAY
  AND TraceId IN (
      SELECT arrayJoin(TraceIds) FROM {{ table('trajectories') }} FINAL
      WHERE RunId = '' AND AgentName = {agent:String} AND Start >= {since:DateTime64(3)} AND Start <= {until:DateTime64(3)})
GROUP BY model, class
ORDER BY calls DESC, model, class
