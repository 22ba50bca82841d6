-- What was done with releases that came of candidates of a cycle.
--
-- Parameters: cycle String. Rows: EventId, ReleaseId, Project, AgentName, Number, CandidateId, Action, Actor, time in Unix milliseconds. By time, id.
SELECT
    event.EventId, event.ReleaseId, event.Project, event.AgentName, release.Number, release.CandidateId, event.Action, event.Actor,
    toUnixTimestamp64Milli(event.RecordedAt) AS AtMs
FROM {{ table('release_events') }} AS event
INNER JOIN (SELECT ReleaseId, Number, CandidateId FROM {{ table('releases') }} FINAL WHERE CandidateId != '') AS release
    ON release.ReleaseId = event.ReleaseId
WHERE release.CandidateId IN (SELECT CandidateId FROM {{ table('candidates') }} FINAL WHERE CycleId = {cycle:String})
ORDER BY AtMs, event.EventId
