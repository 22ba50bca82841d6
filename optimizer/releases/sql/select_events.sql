-- The audit trail: columns of `release_events`, the time as milliseconds; oldest first, of one time causes first.
-- Parameters: agent, release String ('' = any).
SELECT
    EventId, ReleaseId, Project, AgentName, Action, Actor, Reason, Evidence, toUnixTimestamp64Milli(RecordedAt) AS Recorded
FROM {{ table('release_events') }}
WHERE ({agent:String} = '' OR AgentName = {agent:String}) AND ({release:String} = '' OR ReleaseId = {release:String})
ORDER BY RecordedAt, indexOf(['proposed', 'registered', 'approved', 'refused', 'rolled_back', 'canary', 'promoted', 'superseded'], Action), EventId
LIMIT 1 BY EventId
