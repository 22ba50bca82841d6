-- Who did what to a release, when and why; the newest first.
SELECT RecordedAt AS "When", AgentName AS Agent, Action, Actor AS "By", Reason, ReleaseId AS Release
FROM release_events
WHERE $__timeFilter(RecordedAt) AND $__conditionalAll(Project = ${project:singlequote}, $project)
    AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
ORDER BY RecordedAt DESC, EventId
LIMIT 200
