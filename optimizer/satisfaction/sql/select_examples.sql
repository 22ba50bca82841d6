-- The newest trajectories and the labelled ones, as experts in Python read them: numbers and steps, texts cut.
--
-- Parameters: newest:UInt64, labelled:UInt64 (most of them), chars:UInt32 (of a text), feature_version:UInt32.
-- Rows: TrajectoryId, Stratum, Numbers, Steps (tuples Kind, Name, Status, Text, Arguments; in order). Newest first.
WITH chosen AS (
    SELECT TrajectoryId FROM (
        SELECT TrajectoryId FROM {{ table('trajectories') }} FINAL ORDER BY Start DESC, TrajectoryId LIMIT {newest:UInt64}
    )
    UNION DISTINCT
    SELECT TrajectoryId FROM (
        SELECT TrajectoryId, max(Timestamp) AS Given FROM {{ table('trajectory_labels') }}
        GROUP BY TrajectoryId ORDER BY Given DESC, TrajectoryId LIMIT {labelled:UInt64}
    )
)
SELECT told.TrajectoryId, features.Stratum, features.Numbers, told.Steps
FROM (
    SELECT
        TrajectoryId,
        min(Timestamp) AS Start,
        arrayMap(step -> (step.2, step.3, step.4, step.5, step.6), arraySort(step -> step.1, groupArray((
            Step, toString(Kind), toString(Name), toString(Status),
            substringUTF8(ifNull(Text, ''), 1, {chars:UInt32}),
            substringUTF8(ifNull(Arguments, ''), 1, {chars:UInt32}))))) AS Steps
    FROM {{ table('trajectory_steps') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM chosen)
    GROUP BY TrajectoryId
) AS told
INNER JOIN (
    SELECT TrajectoryId, Stratum, Numbers FROM {{ table('trajectory_features') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM chosen) AND FeatureVersion = {feature_version:UInt32}
) AS features ON features.TrajectoryId = told.TrajectoryId
ORDER BY told.Start DESC, told.TrajectoryId
