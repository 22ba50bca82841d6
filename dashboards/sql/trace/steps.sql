-- The conversation that holds the trace, step by step.
SELECT
    Step, Kind, Agent, Name, substring(coalesce(Text, Arguments, ''), 1, 500) AS "Said or sent", substring(ifNull(Result, ''), 1, 500) AS "Came back",
    Status, ErrorType AS Error, DurationNs AS Took, Timestamp AS "When", Model, TraceId AS Trace
FROM trajectory_steps FINAL
WHERE TrajectoryId IN (SELECT TrajectoryId FROM trajectory_traces FINAL WHERE TraceId = ${trace:singlequote})
ORDER BY Step
LIMIT 2000
