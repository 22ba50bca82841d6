-- What is served now: columns of select_releases, of current releases and canaries; by project, agent and number. No parameters.
SELECT
    ReleaseId, Project, AgentName, Number, State, CanaryShare, Configuration, PreviousReleaseId, CandidateId, ExperimentId,
    Effect, LiveEffect, LiveLow, LiveHigh, LiveN, LiveEValueWorse,
    toUnixTimestamp64Milli(CreatedAt) AS Created, toUnixTimestamp64Milli(ActivatedAt) AS Activated, Version
FROM {{ table('releases') }} FINAL
WHERE State IN ('current', 'canary')
ORDER BY Project, AgentName, Number, ReleaseId
