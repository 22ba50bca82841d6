-- When the newest analysis had scored production, in Unix milliseconds; no row where there was none.
SELECT toUnixTimestamp64Milli(max(FinishedAt)) AS analysed_ms
FROM {{ table('analyses') }}
WHERE Stage = 'satisfaction'
HAVING count() > 0
