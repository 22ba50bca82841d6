-- When the newest whole analysis had ended, in Unix milliseconds; no row where there was none.
SELECT toUnixTimestamp64Milli(max(FinishedAt)) AS analysed_ms
FROM {{ table('analyses') }}
WHERE Stage = ''
HAVING count() > 0
