-- Comparable trajectories (closed, at least {completeness:Float64} complete) by day, and members of each pattern among them.
-- '' is all trajectories. In order of pattern and day.
SELECT '' AS PatternId, toDate(Start, 'UTC') AS Day, count() AS Trajectories
FROM {{ table('trajectories') }} FINAL
WHERE State = 'closed' AND Completeness >= {completeness:Float64}
GROUP BY Day
UNION ALL
SELECT PatternId, toDate(Timestamp, 'UTC') AS Day, count() AS Trajectories
FROM {{ table('pattern_members') }} FINAL
GROUP BY PatternId, Day
ORDER BY PatternId, Day
