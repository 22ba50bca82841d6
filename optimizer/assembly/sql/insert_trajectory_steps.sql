-- The steps of the trajectories at hand. Parameters: {first:UInt32}, {last:UInt32}, {version:UInt64}.
INSERT INTO {{ table('trajectory_steps') }}
SELECT
    t.TrajectoryId, s.Step, s.Kind, s.Agent, s.Name, s.CallId, b.Text, b.Reasoning, b.Arguments, b.Result,
    s.Status, s.ErrorType, s.FinishReason, s.Model, s.Timestamp, s.DurationNs, s.TraceId, s.SpanId, {version:UInt64}, 0
FROM {{ table('assembly_steps') }} AS s
INNER JOIN (
    SELECT N, any(TrajectoryId) AS TrajectoryId FROM {{ table('assembly_members') }}
    WHERE N BETWEEN {first:UInt32} AND {last:UInt32} GROUP BY N
) AS t ON t.N = s.N
LEFT JOIN (
    SELECT N, Step,
        argMin(Text, Rank) AS Text, argMin(Reasoning, Rank) AS Reasoning,
        argMin(Arguments, Rank) AS Arguments, argMin(Result, Rank) AS Result
    FROM {{ table('assembly_bodies') }}
    WHERE Step > 0
    GROUP BY N, Step
) AS b ON b.N = s.N AND b.Step = s.Step
