-- What a model reads of some trajectories: numbers and steps, texts cut as for select_examples.
--
-- Parameters: ids:Array(String), chars:UInt32 (of a text), feature_version:UInt32.
-- Rows: TrajectoryId, Numbers, Steps (tuples Kind, Name, Status, Text, Arguments; in order). By TrajectoryId.
SELECT features.TrajectoryId, features.Numbers, told.Steps
FROM (
    SELECT TrajectoryId, Numbers FROM {{ table('trajectory_features') }} FINAL
    WHERE TrajectoryId IN {ids:Array(String)} AND FeatureVersion = {feature_version:UInt32}
) AS features
INNER JOIN (
    SELECT
        TrajectoryId,
        arrayMap(step -> (step.2, step.3, step.4, step.5, step.6), arraySort(step -> step.1, groupArray((
            Step, toString(Kind), toString(Name), toString(Status),
            substringUTF8(ifNull(Text, ''), 1, {chars:UInt32}),
            substringUTF8(ifNull(Arguments, ''), 1, {chars:UInt32}))))) AS Steps
    FROM {{ table('trajectory_steps') }} FINAL
    WHERE TrajectoryId IN {ids:Array(String)}
    GROUP BY TrajectoryId
) AS told ON told.TrajectoryId = features.TrajectoryId
ORDER BY features.TrajectoryId
