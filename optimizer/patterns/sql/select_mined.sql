-- What the last mining read: judged trajectories and comparable ones. At most one row.
SELECT Counts['outcomes'], Counts['trajectories']
FROM {{ table('analyses') }}
WHERE Stage = 'patterns' AND Counts['mined'] = 1
ORDER BY FinishedAt DESC
LIMIT 1
