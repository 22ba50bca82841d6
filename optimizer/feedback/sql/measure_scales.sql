-- feedback_scales: what numbers of each series can mean, from all that stands of it: what was withdrawn or replaced has no say.
-- The scale is the one that most of the numbers fit, at least 95 % of them: a stray number is no reason to disbelieve the others.
-- A 1 among 1s may be the best of two or the worst of five: a series of ratings has a scale once it shows another number; where
-- two scales fit equally well, neither is meant. Unbounded numbers never have one.
{%- macro bound(which) -%}
multiIf(
    greatest(units, signs, stars) < 0.95 * numbers OR (stars > 0 AND stars = greatest(units, signs)), NULL,
    stars > greatest(units, signs), {{ (1, 5)[which] }},
    signs > units, {{ (-1, 1)[which] }},
    {{ (0, 1)[which] }})
{%- endmacro %}
INSERT INTO {{ table('feedback_scales') }}
SELECT Project, Source, Name, {{ bound(0) }} AS Low, {{ bound(1) }} AS High
FROM (
    SELECT
        Project, Source, Name, count() AS numbers,
        (Project, Source, Name) IN (SELECT Project, Source, Name FROM {{ table('feedback_read') }} WHERE Rated) AS rated,
        if(rated AND countIf(Number >= 0 AND Number < 1) = 0, 0, countIf(Number BETWEEN 0 AND 1)) AS units,
        if(countIf(Number >= -1 AND Number < 0) = 0, 0, countIf(Number BETWEEN -1 AND 1)) AS signs,
        if(NOT rated OR countIf(Number > 1 AND Number <= 5) = 0, 0, countIf(Number BETWEEN 1 AND 5)) AS stars
    FROM (
        SELECT Project, Source, Name, argMax((Score, Gone), Version) AS stands, stands.1 AS Number
        FROM (
            SELECT Project, Source, Name, AssessmentId, Score, IsDeleted AS Gone, Version
            FROM {{ table('feedback_read') }}
            WHERE Directional AND Source IN ('feedback', 'outcome')
            UNION ALL
            SELECT Project, Source, Name, AssessmentId, Score, IsDeleted AS Gone, Version
            FROM {{ table('assessments') }} FINAL
            WHERE (Project, Source, Name) IN (
                SELECT Project, Source, Name FROM {{ table('feedback_read') }}
                WHERE Directional AND Source IN ('feedback', 'outcome'))
        )
        GROUP BY Project, Source, Name, AssessmentId
        HAVING stands.1 IS NOT NULL AND stands.2 = 0
    )
    GROUP BY Project, Source, Name
)
