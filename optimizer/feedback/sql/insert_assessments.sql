-- feedback_read -> assessments: what has a target, its satisfaction from the label, else from the number on the scale of its series.
INSERT INTO {{ table('assessments') }} (
    AssessmentId, Project, TraceId, SpanId, ConversationId, Source, Name, Score, Label, Satisfied, Explanation, Assessor,
    AssessorVersion, Selection, SelectionProbability, SampleId, Carrier, Timestamp, Version, IsDeleted)
SELECT
    AssessmentId, Project, TraceId, SpanId, ConversationId, Source, Name, Score, Label,
    multiIf(
        Source NOT IN ('feedback', 'outcome'), NULL,
        Says IS NOT NULL, Says,
        Directional AND Score BETWEEN Low AND High, (Score - Low) / (High - Low),
        NULL) AS Satisfied,
    Explanation, Assessor, AssessorVersion, Selection, SelectionProbability, SampleId, Carrier, Timestamp, Version, IsDeleted
FROM {{ table('feedback_read') }} AS told
LEFT ANY JOIN {{ table('feedback_scales') }} AS scale USING (Project, Source, Name)
WHERE TraceId != '' OR ConversationId != ''
