-- The library's entries.
--
-- Parameters: none. Rows: columns in the order of spanloop.optimizer.strategies.storing.STRATEGY_COLUMNS, ordered by id.
SELECT
    StrategyId, Project, Title, Category, Intervention, AppliesWhen, NotWhen, Principle, EditTemplate, Source,
    OriginAgent, OriginExperiment, State, CreatedAt, Version
FROM {{ table('strategies') }} FINAL
ORDER BY StrategyId
