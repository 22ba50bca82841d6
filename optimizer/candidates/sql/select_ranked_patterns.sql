-- Patterns that an agent shows and that are worth a fix, the most harmful first.
--
-- Parameters: agent:String, ids:Array(String) (none = any), n:UInt32.
-- Rows: PatternId, Category, Title, Explanation, Predicate, Project. With ids, the caller orders them.
SELECT PatternId, Category, Title, Explanation, Predicate, Project
FROM {{ table('failure_patterns') }} FINAL
WHERE has(Agents, {agent:String}) AND State IN ('new', 'open', 'regressed')
  AND (empty({ids:Array(String)}) OR has({ids:Array(String)}, PatternId))
ORDER BY isNull(Lift), ifNull(Lift, 0) * Members DESC, Members DESC, PatternId
LIMIT {n:UInt32}
