-- What the arms of one experiment came to, every attempt counted; baseline first.
--
-- Parameters: id:String.
SELECT
    Arm AS arm, count() AS episodes, countIf(Attempt > 0) AS repeated, countIf(State = 'finished') AS finished,
    countIf(State = 'infrastructure') AS lost, sumMap(map(State, 1)) AS states, countIf(Score IS NOT NULL) AS judged,
    avg(Score) AS satisfied, avg(SecondScore) AS second, countIf(Gold IS NOT NULL) AS gold, avg(Coverage) AS coverage,
    sumMap(Tiers) AS tiers, avg(Steps) AS steps, quantileExact(0.5)(LatencyMs) AS latency_ms, avg(CostUsd) AS cost_usd,
    countIf(CostUsd IS NULL) AS unpriced, sum(ifNull(InputTokens, 0) + ifNull(OutputTokens, 0)) AS tokens
FROM {{ table('experiment_runs') }} FINAL
WHERE ExperimentId = {id:String}
GROUP BY Arm
ORDER BY Arm
