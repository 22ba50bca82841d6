-- Where the first trajectories that showed each pattern went wrong.
--
-- Parameters: patterns Array(String); most UInt32: members of each. Rows: PatternId, TraceId, SpanId. By pattern, then time, trajectory.
SELECT PatternId, TraceId, SpanId
FROM {{ table('pattern_members') }} FINAL
WHERE PatternId IN {patterns:Array(String)} AND TraceId != ''
ORDER BY PatternId, Timestamp, TrajectoryId
LIMIT {most:UInt32} BY PatternId
