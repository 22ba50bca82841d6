-- All measured outcomes, in the order of time.
--
-- Parameters: none. Rows: columns in the order of spanloop.optimizer.strategies.storing.TRIAL_COLUMNS.
SELECT
    TrialId, StrategyId, Project, AgentName, PatternId, Category, Intervention, ExperimentId, Verdict, Effect, EffectLow,
    EffectHigh, SideEffect, SideEffectLow, SideEffectHigh, N, Harm, Transferred, SurvivedFresh, ModelHash, PromptHash,
    ToolsHash, Tokens, CostUsd, RecordedAt, Version
FROM {{ table('strategy_trials') }} FINAL
ORDER BY RecordedAt, TrialId
