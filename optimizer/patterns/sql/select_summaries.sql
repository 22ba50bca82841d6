-- Per pattern: members, time of the first and the last, median deviating step. In order of PatternId.
SELECT PatternId, count() AS Members, min(Timestamp) AS FirstSeen, max(Timestamp) AS LastSeen,
    quantile(0.5)(DeviatingStep) AS TypicalStep
FROM {{ table('pattern_members') }} FINAL
GROUP BY PatternId
ORDER BY PatternId
