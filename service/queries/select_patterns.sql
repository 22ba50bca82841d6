-- List failure patterns, the most harmful first: proven lift times members, then those only associated.
--
-- Parameters: category:String, state:String ('' = any), n:UInt32.
SELECT
    PatternId AS pattern, Title AS title, Category AS category, State AS state, Members AS members, Prevalence AS prevalence,
    Lift AS lift, LiftLow AS lift_low, LiftHigh AS lift_high, LiftBasis AS basis, QValue AS q_value,
    MarginalLift AS marginal_lift, Trend AS trend, LastSeen AS last_seen
FROM {{ table('failure_patterns') }} FINAL
WHERE ({category:String} = '' OR Category = {category:String})
  AND ({state:String} = '' OR State = {state:String})
ORDER BY isNull(Lift), ifNull(Lift, 0) * Members DESC, Members DESC, PatternId
LIMIT {n:UInt32}
