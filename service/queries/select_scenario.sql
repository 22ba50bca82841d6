-- Find one scenario by its id or the beginning of it.
--
-- Parameters: id:String. Rows: at most two, so that an ambiguous beginning is seen.
SELECT
    ScenarioId AS scenario, Project AS project, AgentName AS agent, State AS state, MergedInto AS merged_into, Origin AS origin,
    PatternIds AS patterns, Split AS split, Generation AS generation, ClusterKey AS cluster, Stratum AS stratum, Goal AS goal,
    Content AS content, ContentHash AS content_hash, Trajectories AS trajectories, TraceIds AS traces, Weight AS weight,
    ProductionSatisfied AS production_satisfied, Validity AS validity, ValidityRuns AS validity_runs,
    FirstSeen AS first_seen, LastSeen AS last_seen, Version AS version
FROM {{ table('scenarios') }} FINAL
WHERE ScenarioId = {id:String} OR (length({id:String}) >= 4 AND startsWith(ScenarioId, {id:String}))
ORDER BY ScenarioId != {id:String}, ScenarioId
LIMIT 2
