-- What was found in the conversation that holds the trace: patterns, symptoms, judgements. By step; NULL = of no one step.
WITH ids AS (SELECT TrajectoryId FROM trajectory_traces FINAL WHERE TraceId = ${trace:singlequote})
SELECT Found, What, Step, Weight AS "How sure or how good", Explanation
FROM (
    SELECT
        'failure pattern' AS Found, p.Title AS What, toNullable(m.DeviatingStep) AS Step, CAST(NULL, 'Nullable(Float64)') AS Weight,
        p.Explanation AS Explanation
    FROM (SELECT PatternId, DeviatingStep FROM pattern_members FINAL WHERE TrajectoryId IN (ids)) AS m
    INNER JOIN (SELECT PatternId, Title, Explanation FROM failure_patterns FINAL) AS p ON p.PatternId = m.PatternId
    UNION ALL
    SELECT 'symptom', toString(Symptom), toNullable(Step), toNullable(toFloat64(Weight)), Detail
    FROM trajectory_symptoms FINAL
    WHERE TrajectoryId IN (ids)
    UNION ALL
    SELECT
        concat('judgement (', Source, ')'), toString(Name), CAST(NULL, 'Nullable(UInt32)'), ifNull(Satisfied, Score),
        ifNull(Explanation, toString(Label))
    FROM assessments FINAL
    WHERE TraceId IN (SELECT TraceId FROM trajectory_traces FINAL WHERE TrajectoryId IN (ids))
        OR (TraceId = '' AND ConversationId != '' AND (Project, ConversationId) IN (
            SELECT Project, ConversationId FROM trajectories FINAL WHERE RunId = '' AND TrajectoryId IN (ids)))
)
ORDER BY isNull(Step), Step, Found, What
