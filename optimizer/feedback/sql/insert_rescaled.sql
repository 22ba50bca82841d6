-- assessments whose number means something else since their series showed more of its scale, at the version that they have.
-- Parameters: opinions, answers Array(String) (labels that are understood say more than the number).
INSERT INTO {{ table('assessments') }}
SELECT stored.* REPLACE ((Score - scale.Low) / (scale.High - scale.Low) AS Satisfied)
FROM (
    SELECT * FROM {{ table('assessments') }} FINAL
    WHERE Score IS NOT NULL
        AND (Project, Source, Name) IN (
            SELECT Project, Source, Name FROM {{ table('feedback_scales') }}
            WHERE Stored > 0 AND NOT (Low IS NOT DISTINCT FROM BeforeLow AND High IS NOT DISTINCT FROM BeforeHigh))
        AND NOT has(
            arrayConcat({opinions:Array(String)}, {answers:Array(String)}),
            replaceRegexpAll(replaceRegexpAll(lowerUTF8(Label), '[\\x{1F3FB}-\\x{1F3FF}\\x{FE0F}]', ''), '[ -]+', '_'))
) AS stored
INNER JOIN {{ table('feedback_scales') }} AS scale USING (Project, Source, Name)
