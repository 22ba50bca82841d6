-- The newest trajectories, the labelled and the judged ones, as experts in Python read them: numbers and steps, texts cut. Of
-- production alone: nothing is learned from runs of experiments.
--
-- Parameters: newest:UInt64, labelled, judged:UInt64 (most of them), chars:UInt32 (of a text), feature_version:UInt32.
-- Rows: TrajectoryId, Stratum, Numbers, Steps (tuples Kind, Name, Status, Text, Arguments; in order). Newest first.
WITH chosen AS (
    SELECT TrajectoryId FROM (
        SELECT TrajectoryId FROM {{ table('trajectories') }} FINAL WHERE RunId = ''
        ORDER BY Start DESC, TrajectoryId LIMIT {newest:UInt64}
    )
    UNION DISTINCT
    SELECT TrajectoryId FROM (
        SELECT TrajectoryId, max(Timestamp) AS Given FROM {{ table('trajectory_labels') }}
        GROUP BY TrajectoryId ORDER BY Given DESC, TrajectoryId LIMIT {labelled:UInt64}
    )
    UNION DISTINCT
    SELECT TrajectoryId FROM (
        SELECT told.TrajectoryId AS TrajectoryId, max(judged.Timestamp) AS Given
        FROM (
            SELECT TraceId, Timestamp FROM {{ table('assessments') }} FINAL
            WHERE Source = 'judge' AND Name = 'satisfaction' AND Satisfied IS NOT NULL AND TraceId != ''
        ) AS judged
        INNER JOIN (
            SELECT TraceId, TrajectoryId FROM {{ table('trajectory_traces') }} FINAL
            WHERE Basis != 'run' AND TraceId IN (SELECT TraceId FROM {{ table('assessments') }} FINAL WHERE Source = 'judge')
        ) AS told ON told.TraceId = judged.TraceId
        GROUP BY TrajectoryId ORDER BY Given DESC, TrajectoryId LIMIT {judged:UInt64}
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
