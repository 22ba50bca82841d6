-- The patterns as they stand. In order of PatternId.
SELECT PatternId, Title, Explanation, NamedBy, Category, MastCodes, TrailCodes, State, Predicate, Lift, LiftLow, LiftHigh,
    LiftBasis, PValue, QValue, MarginalLift, Project, Agents, CoOccurring, FirstSeen, LastSeen
FROM {{ table('failure_patterns') }} FINAL
ORDER BY PatternId
