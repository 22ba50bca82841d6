-- What a judge said of trajectories before: AssessmentId, Label; of {ids:Array(String)}.
SELECT AssessmentId, Label FROM {{ table('assessments') }} FINAL
WHERE Source = 'judge' AND Name = 'satisfaction' AND AssessmentId IN {ids:Array(String)}
ORDER BY AssessmentId
