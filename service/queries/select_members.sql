-- Read members of a pattern with the step at which each went wrong, newest first.
--
-- Parameters: id:String, n:UInt32. Rows: trajectory, time, step, kind, name, what (text, arguments or result), trace, span, satisfaction.
SELECT
    m.TrajectoryId AS trajectory, m.Timestamp AS time, m.DeviatingStep AS step, s.Kind AS kind, s.Name AS name,
    coalesce(s.Text, s.Arguments, '') AS what, s.Result AS result, m.TraceId AS trace, m.SpanId AS span,
    p.Probability AS satisfaction
FROM (
    SELECT * FROM {{ table('pattern_members') }} FINAL WHERE PatternId = {id:String}
    ORDER BY Timestamp DESC, TrajectoryId LIMIT {n:UInt32}
) AS m
LEFT JOIN (
    SELECT * FROM {{ table('trajectory_steps') }} FINAL
    WHERE TrajectoryId IN (
        SELECT TrajectoryId FROM {{ table('pattern_members') }} FINAL WHERE PatternId = {id:String}
        ORDER BY Timestamp DESC, TrajectoryId LIMIT {n:UInt32})
) AS s ON s.TrajectoryId = m.TrajectoryId AND s.Step = m.DeviatingStep
LEFT JOIN (SELECT TrajectoryId, Probability FROM {{ table('trajectory_satisfaction') }} FINAL) AS p
    ON p.TrajectoryId = m.TrajectoryId
ORDER BY m.Timestamp DESC, m.TrajectoryId
SETTINGS join_use_nulls = 1
