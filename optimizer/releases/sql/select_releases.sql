-- Releases of the agents that match: columns of `releases` but IsDeleted, times as milliseconds; by project, agent and number.
-- Parameters: project, agent, release String ('' = any; release: all of the agents that have one whose id begins so).
SELECT
    ReleaseId, Project, AgentName, Number, State, CanaryShare, Configuration, PreviousReleaseId, CandidateId, ExperimentId,
    Effect, LiveEffect, LiveLow, LiveHigh, LiveN, LiveEValueWorse,
    toUnixTimestamp64Milli(CreatedAt) AS Created, toUnixTimestamp64Milli(ActivatedAt) AS Activated, Version
FROM {{ table('releases') }} FINAL
WHERE ({project:String} = '' OR Project = {project:String}) AND ({agent:String} = '' OR AgentName = {agent:String})
    AND ({release:String} = '' OR (Project, AgentName) IN (
        SELECT Project, AgentName FROM {{ table('releases') }} FINAL WHERE startsWith(ReleaseId, {release:String})
    ))
ORDER BY Project, AgentName, Number, ReleaseId
