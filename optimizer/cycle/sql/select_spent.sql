-- Tokens and known US dollars of the cycle {cycle:String} ('' = of all) since {since:DateTime64(3)}; what open leases were granted
-- counts as spent.
SELECT
    sum(if(State = 'open', MaxTokens, Tokens)) AS tokens,
    sum(ifNull(if(State = 'open', MaxUsd, CostUsd), 0)) AS usd
FROM {{ table('budget_ledger') }} FINAL
WHERE ({cycle:String} = '' OR CycleId = {cycle:String}) AND TakenAt >= {since:DateTime64(3)}
