-- The newest model for a list of numbers.
--
-- Parameters: feature_version:UInt32. Rows: ModelId, Parameters, Labels.
SELECT ModelId, Parameters, Labels
FROM {{ table('satisfaction_models') }}
WHERE FeatureVersion = {feature_version:UInt32}
ORDER BY CreatedAt DESC
LIMIT 1
