-- What people said of the runs with these {traces:Array(String)} or {conversations:Array(String)}: TraceId, ConversationId, Source,
-- Satisfied. In order of AssessmentId.
SELECT TraceId, ConversationId, Source, assumeNotNull(Satisfied)
FROM {{ table('assessments') }} FINAL
WHERE Source IN ('label', 'feedback') AND Satisfied IS NOT NULL
    AND (TraceId IN {traces:Array(String)} OR (TraceId = '' AND ConversationId IN {conversations:Array(String)}))
ORDER BY AssessmentId
