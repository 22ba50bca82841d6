-- What is known of the chosen pattern (of the most harmful one when none is chosen): one row a fact.
SELECT fact.1 AS Fact, fact.2 AS "What is known"
FROM (
    SELECT * FROM failure_patterns FINAL
    WHERE $__conditionalAll(Project = ${project:singlequote}, $project)
        AND $__conditionalAll(PatternId = ${pattern:singlequote}, $pattern)
    ORDER BY isNull(Lift), ifNull(Lift, 0) * Members DESC, Members DESC, PatternId
    LIMIT 1
)
ARRAY JOIN [
    ('Pattern', Title),
    ('What happens', Explanation),
    ('Named by', NamedBy),
    ('State', State),
    ('Goes wrong typically at step', ifNull(toString(round(TypicalStep, 1)), 'unknown')),
    ('Harm when nothing is taken into account', ifNull(concat(toString(round(100 * MarginalLift, 1)), ' points'), 'unknown')),
    ('Chance of a false claim of harm (q)', ifNull(toString(round(QValue, 4)), 'not tested')),
    ('MAST failure modes', if(empty(MastCodes), 'none', arrayStringConcat(MastCodes, ', '))),
    ('TRAIL error types', if(empty(TrailCodes), 'none', arrayStringConcat(TrailCodes, ', '))),
    ('Id', PatternId)
] AS fact
