-- The newest model for a list of numbers, of those made by a time.
--
-- Parameters: feature_version:UInt32, until:UInt64 (Unix milliseconds). Rows: ModelId, Parameters, Labels.
SELECT ModelId, Parameters, Labels
FROM {{ table('satisfaction_models') }}
WHERE FeatureVersion = {feature_version:UInt32} AND toUnixTimestamp64Milli(CreatedAt) <= {until:UInt64}
ORDER BY CreatedAt DESC
LIMIT 1
