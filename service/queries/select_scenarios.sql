-- List scenarios, those that stand for most traffic first.
--
-- Parameters: agent, split, state, pattern: String ('' = any), locked:Bool (whether goals of test and fresh are told), n:UInt32.
SELECT
    ScenarioId AS scenario, AgentName AS agent, State AS state, Split AS split, Generation AS generation, Origin AS origin,
    Weight AS weight, ProductionSatisfied AS production_satisfied, Validity AS validity, TapeCalls AS tape_calls,
    length(Trajectories) AS recordings, PatternIds AS patterns, LastSeen AS last_seen,
    if({locked:Bool} OR Split IN ('train', 'validation'), toNullable(Goal), NULL) AS goal
FROM {{ table('scenarios') }} FINAL
WHERE ({agent:String} = '' OR AgentName = {agent:String})
  AND ({split:String} = '' OR Split = {split:String})
  AND ({state:String} = '' OR State = {state:String})
  AND ({pattern:String} = '' OR arrayExists(p -> startsWith(p, {pattern:String}), PatternIds))
ORDER BY Weight DESC, ScenarioId
LIMIT {n:UInt32}
