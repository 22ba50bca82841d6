-- The scenarios of {project:String} (any project if {all_projects:Bool}) and {agent:String}, whatever their state; columns as in
-- spanloop.optimizer.scenarios.storing, in order of ScenarioId.
SELECT ScenarioId, Project, AgentName, State, MergedInto, Origin, PatternIds, Split, Generation, ClusterKey, Stratum, Goal, Content,
    Trajectories, TraceIds, Weight, ProductionSatisfied, Validity, ValidityRuns, FirstSeen, LastSeen, Version
FROM {{ table('scenarios') }} FINAL
WHERE AgentName = {agent:String} AND ({all_projects:Bool} OR Project = {project:String})
ORDER BY ScenarioId
