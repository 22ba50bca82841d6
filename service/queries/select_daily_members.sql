-- Count the members of each pattern by day, for the small plots.
--
-- Rows: pattern, counts of the last 14 days on which anything was seen, oldest first.
WITH (SELECT max(toDate(Timestamp, 'UTC')) FROM {{ table('pattern_members') }} FINAL) AS newest
SELECT PatternId AS pattern, arrayMap(d -> countEqual(days, newest - d), reverse(range(14))) AS counts
FROM (
    SELECT PatternId, groupArray(toDate(Timestamp, 'UTC')) AS days
    FROM {{ table('pattern_members') }} FINAL
    WHERE toDate(Timestamp, 'UTC') > newest - 14
    GROUP BY PatternId
)
