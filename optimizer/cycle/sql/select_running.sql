-- The cycle that is under way, the newest first: CycleId, start in Unix milliseconds, highest Version of its rows.
SELECT CycleId, toUnixTimestamp64Milli(minIf(StartedAt, Stage = '')) AS started, max(Version) AS version
FROM {{ table('cycles') }} FINAL
GROUP BY CycleId
HAVING countIf(Stage = '' AND State = 'running') > 0
ORDER BY started DESC, CycleId
