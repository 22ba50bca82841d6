-- Scenarios in full.
--
-- Parameters: agent, split: String ('' = any), locked:Bool (also test and fresh). Active ones, in order of id.
SELECT
    ScenarioId AS scenario, Project AS project, AgentName AS agent, Origin AS origin, PatternIds AS patterns, Split AS split,
    Generation AS generation, ClusterKey AS cluster, Stratum AS stratum, Goal AS goal, Content AS content,
    ContentHash AS content_hash, Trajectories AS trajectories, TraceIds AS traces, Weight AS weight,
    ProductionSatisfied AS production_satisfied, Validity AS validity, FirstSeen AS first_seen, LastSeen AS last_seen,
    Version AS version
FROM {{ table('scenarios') }} FINAL
WHERE State = 'active'
  AND ({agent:String} = '' OR AgentName = {agent:String})
  AND ({split:String} = '' OR Split = {split:String})
  AND ({locked:Bool} OR Split IN ('train', 'validation'))
ORDER BY ScenarioId
