-- The steps of the trajectories at hand. Text streams through; what is joined to it is small.
-- Parameters: {first:UInt32}, {last:UInt32}, {version:UInt64}.
INSERT INTO {{ table('trajectory_steps') }}
SELECT
    t.TrajectoryId, s.Step, s.Kind, s.Agent, s.Name, s.CallId, b.Text, b.Reasoning, b.Arguments, b.Result,
    s.Status, s.ErrorType, s.FinishReason, s.Model, s.Timestamp, s.DurationNs, s.TraceId, s.SpanId, {version:UInt64}, 0
FROM (
    SELECT N, Step,
        any(Text) AS Text, any(Reasoning) AS Reasoning,
        argMin(Arguments, Rank) AS Arguments, argMin(Result, Rank) AS Result
    FROM (
        SELECT N, Step, Rank, Text, Reasoning, Arguments, Result FROM {{ table('assembly_bodies') }} WHERE Step > 0
        UNION ALL
        SELECT N, Step, 9, NULL, NULL, NULL, NULL FROM {{ table('assembly_steps') }}
    )
    GROUP BY N, Step
) AS b
INNER JOIN {{ table('assembly_steps') }} AS s ON s.N = b.N AND s.Step = b.Step
INNER JOIN (
    SELECT N, any(TrajectoryId) AS TrajectoryId FROM {{ table('assembly_members') }}
    WHERE N BETWEEN {first:UInt32} AND {last:UInt32} GROUP BY N
) AS t ON t.N = b.N
SETTINGS max_bytes_before_external_group_by = 400000000, query_plan_join_swap_table = 'false'
