-- One row: what the extraction read, and what it could not use.
SELECT
    count() AS found,
    countIf(Source = 'feedback' AND Targeted) AS feedback,
    countIf(Source = 'outcome' AND Targeted) AS outcomes,
    countIf(Source = 'evaluation' AND Targeted) AS evaluations,
    countIf(IsDeleted = 1 AND Targeted) AS retracted,
    countIf(NOT Targeted) AS untargeted,
    countIf(Targeted AND Directional AND Source IN ('feedback', 'outcome') AND Score IS NOT NULL AND Says IS NULL
        AND NOT ifNull(Score BETWEEN Low AND High, false)) AS unscaled
FROM (
    SELECT *, TraceId != '' OR ConversationId != '' AS Targeted
    FROM {{ table('feedback_read') }} AS told
    LEFT ANY JOIN {{ table('feedback_scales') }} AS scale USING (Project, Source, Name)
)
