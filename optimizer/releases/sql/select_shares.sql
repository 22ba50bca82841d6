-- How a canary's share grew: RecordedAt (ms), evidence (JSON, with the share); oldest first. Parameters: release String.
SELECT toUnixTimestamp64Milli(RecordedAt) AS at, Evidence
FROM {{ table('release_events') }}
WHERE ReleaseId = {release:String} AND Action = 'canary'
ORDER BY RecordedAt, EventId
LIMIT 1 BY EventId
