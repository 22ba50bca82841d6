-- How the experiment {id:String} stands, in the columns of spanloop.optimizer.experiments.storing.
SELECT
    State, Settings, AlphaSpent, Verdict, Reason, EValue, ScenariosClosed, Effect, EffectLow, EffectHigh, Numbers, Tokens, CostUsd,
    toUnixTimestamp64Milli(StartedAt) AS StartedMs, if(DecidedAt IS NULL, NULL, toUnixTimestamp64Milli(assumeNotNull(DecidedAt))) AS DecidedMs,
    Version
FROM {{ table('experiments') }} FINAL
WHERE ExperimentId = {id:String}
