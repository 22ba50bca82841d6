-- Find one pattern by its id or the beginning of it.
--
-- Parameters: id:String. Rows: at most two, so that an ambiguous beginning is seen.
SELECT
    PatternId AS pattern, Title AS title, Explanation AS explanation, NamedBy AS named_by, Category AS category,
    MastCodes AS mast, TrailCodes AS trail, State AS state, Predicate AS predicate, Agents AS agents, Members AS members,
    Prevalence AS prevalence, Trend AS trend, Lift AS lift, LiftLow AS lift_low, LiftHigh AS lift_high, LiftBasis AS basis,
    PValue AS p_value, QValue AS q_value, MarginalLift AS marginal_lift, TypicalStep AS typical_step,
    CoOccurring AS co_occurring, FirstSeen AS first_seen, LastSeen AS last_seen
FROM {{ table('failure_patterns') }} FINAL
WHERE PatternId = {id:String} OR (length({id:String}) >= 4 AND startsWith(PatternId, {id:String}))
ORDER BY PatternId != {id:String}, PatternId
LIMIT 2
