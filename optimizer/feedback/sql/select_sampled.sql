-- One row per sampled trajectory: SampleId, TrajectoryId, position, stratum, probability, drawn, present (0: the trajectory is no
-- more), labels (what reviewers said, one each); the newest sample first, then by position.
-- Parameters: sample String ('' = every one), trajectory String ('' = every one).
WITH
    drawn AS (
        SELECT * FROM {{ table('label_samples') }}
        WHERE ({sample:String} = '' OR SampleId = {sample:String})
            AND ({trajectory:String} = '' OR TrajectoryId = {trajectory:String})
    ),
    told AS (
        SELECT TrajectoryId, arrayJoin(if(ConversationId != '', [concat('c:', ConversationId)], arrayMap(t -> concat('t:', t), TraceIds))) AS target
        FROM {{ table('trajectories') }} FINAL
        WHERE TrajectoryId IN (SELECT TrajectoryId FROM drawn)
    ),
    given AS (
        SELECT SampleId, TrajectoryId, groupArray(toString(Label)) AS labels
        FROM (
            SELECT SampleId, Label, if(ConversationId != '', concat('c:', ConversationId), concat('t:', TraceId)) AS target
            FROM {{ table('assessments') }} FINAL
            WHERE Source = 'label' AND SampleId IN (SELECT SampleId FROM drawn)
        ) AS said
        INNER JOIN told USING (target)
        GROUP BY SampleId, TrajectoryId
    )
SELECT
    drawn.SampleId, drawn.TrajectoryId, drawn.Position, drawn.Stratum, drawn.Probability, drawn.DrawnAt,
    drawn.TrajectoryId IN (SELECT TrajectoryId FROM told) AS present,
    given.labels
FROM drawn
LEFT JOIN given ON given.SampleId = drawn.SampleId AND given.TrajectoryId = drawn.TrajectoryId
ORDER BY drawn.DrawnAt DESC, drawn.SampleId, drawn.Position
