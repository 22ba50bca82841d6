-- assessments whose number means something else since their series showed more of its scale, at the version that they have.
-- Parameters: opinions, answers Array(String) (labels that are understood say more than the number).
INSERT INTO {{ table('assessments') }}
SELECT stored.* REPLACE (if(Score BETWEEN scale.Low AND scale.High, (Score - scale.Low) / (scale.High - scale.Low), NULL) AS Satisfied)
FROM (
    SELECT * FROM {{ table('assessments') }} FINAL
    WHERE Score IS NOT NULL
        AND (Project, Source, Name) IN (SELECT Project, Source, Name FROM {{ table('feedback_scales') }})
        AND NOT has(
            arrayConcat({opinions:Array(String)}, {answers:Array(String)}),
            replaceRegexpAll(replaceRegexpAll(lowerUTF8(Label), '[\\x{1F3FB}-\\x{1F3FF}\\x{FE0F}]', ''), '[ -]+', '_'))
) AS stored
INNER JOIN {{ table('feedback_scales') }} AS scale USING (Project, Source, Name)
WHERE stored.Satisfied IS DISTINCT FROM if(Score BETWEEN scale.Low AND scale.High, (Score - scale.Low) / (scale.High - scale.Low), NULL)
