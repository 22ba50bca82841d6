-- feedback_scales: what numbers of each series can mean, from all that was ever seen of it. A 1 among 1s may be the best of two
-- or the worst of five: a series of ratings has a scale once it shows another number. Unbounded numbers never have one.
{%- macro bound(suffix, which) -%}
multiIf(
    n_{{ suffix }} = 0, NULL,
    least_{{ suffix }} >= -1 AND least_{{ suffix }} < 0 AND most_{{ suffix }} <= 1, {{ (-1, 1)[which] }},
    least_{{ suffix }} >= 0 AND most_{{ suffix }} <= 1 AND NOT (rated AND least_{{ suffix }} = 1), {{ (0, 1)[which] }},
    rated AND least_{{ suffix }} >= 1 AND most_{{ suffix }} > 1 AND most_{{ suffix }} <= 5, {{ (1, 5)[which] }},
    NULL)
{%- endmacro %}
INSERT INTO {{ table('feedback_scales') }}
SELECT
    Project, Source, Name,
    {{ bound('now', 0) }} AS Low,
    {{ bound('now', 1) }} AS High,
    {{ bound('before', 0) }} AS BeforeLow,
    {{ bound('before', 1) }} AS BeforeHigh,
    n_before AS Stored
FROM (
    SELECT
        Project, Source, Name, max(Rated) AS rated,
        count() AS n_now, min(Number) AS least_now, max(Number) AS most_now,
        countIf(Old) AS n_before, minIf(Number, Old) AS least_before, maxIf(Number, Old) AS most_before
    FROM (
        SELECT Project, Source, Name, assumeNotNull(Score) AS Number, Rated, false AS Old
        FROM {{ table('feedback_read') }}
        WHERE Directional AND Score IS NOT NULL AND Source IN ('feedback', 'outcome')
        UNION ALL
        SELECT Project, Source, Name, assumeNotNull(Score) AS Number, false AS Rated, true AS Old
        FROM {{ table('assessments') }}
        WHERE Score IS NOT NULL AND (Project, Source, Name) IN (
            SELECT Project, Source, Name FROM {{ table('feedback_read') }}
            WHERE Directional AND Score IS NOT NULL AND Source IN ('feedback', 'outcome'))
    )
    GROUP BY Project, Source, Name
)
