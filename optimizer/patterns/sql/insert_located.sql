-- Set the deviating step of members: {patterns:Array(String)}, {trajectories:Array(String)} and {steps:Array(UInt32)} belong
-- together. {version:UInt64} of the rows.
INSERT INTO {{ table('pattern_members') }}
    (PatternId, TrajectoryId, DeviatingStep, EvidenceSteps, TraceId, SpanId, Timestamp, Version, IsDeleted)
WITH located AS (
    SELECT found.1 AS PatternId, found.2 AS TrajectoryId, found.3 AS Step
    FROM (SELECT arrayJoin(arrayZip({patterns:Array(String)}, {trajectories:Array(String)}, {steps:Array(UInt32)})) AS found)
)
SELECT located.PatternId, located.TrajectoryId, located.Step, m.EvidenceSteps, told.TraceId, told.SpanId, m.Timestamp,
    {version:UInt64}, 0
FROM located
INNER JOIN (
    SELECT PatternId, TrajectoryId, EvidenceSteps, Timestamp FROM {{ table('pattern_members') }} FINAL
    WHERE PatternId IN (SELECT PatternId FROM located) AND TrajectoryId IN (SELECT TrajectoryId FROM located)
) AS m ON m.PatternId = located.PatternId AND m.TrajectoryId = located.TrajectoryId
INNER JOIN (
    SELECT TrajectoryId, Step, TraceId, SpanId FROM {{ table('trajectory_steps') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM located)
) AS told ON told.TrajectoryId = located.TrajectoryId AND told.Step = located.Step
