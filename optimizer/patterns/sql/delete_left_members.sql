-- Mark as deleted what this analysis looked at and did not find again: memberships among the trajectories of pattern_todo
-- older than {version:UInt64}, and all of patterns that are not in {patterns:Array(String)}.
INSERT INTO {{ table('pattern_members') }}
    (PatternId, TrajectoryId, DeviatingStep, EvidenceSteps, TraceId, SpanId, Timestamp, Version, IsDeleted)
SELECT PatternId, TrajectoryId, DeviatingStep, EvidenceSteps, TraceId, SpanId, Timestamp, {version:UInt64}, 1
FROM {{ table('pattern_members') }} FINAL
WHERE Version < {version:UInt64}
    AND (NOT has({patterns:Array(String)}, PatternId) OR TrajectoryId IN (SELECT TrajectoryId FROM {{ table('pattern_todo') }}))
