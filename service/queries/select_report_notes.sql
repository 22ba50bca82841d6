-- What the newest whole analysis left out, and why: the notes of its stages.
--
-- Rows: in the order in which the stages ended.
SELECT replaceOne(Stage, 'report/', '') AS stage, Notes AS notes
FROM {{ table('analyses') }}
WHERE startsWith(Stage, 'report/') AND notEmpty(Notes)
  AND AnalysisId = (SELECT AnalysisId FROM {{ table('analyses') }} WHERE Stage = '' ORDER BY FinishedAt DESC LIMIT 1)
ORDER BY FinishedAt, stage
