-- What happened at the deviating step of the newest members of {pattern:String}, at most {members:UInt64}, each as one text of
-- at most about 1,500 bytes. Newest first.
SELECT concat(s.Kind, ' ', s.Name, '\n', substring(coalesce(s.Text, s.Arguments, ''), 1, 700), '\n',
    substring(ifNull(s.Result, ''), 1, 700))
FROM (
    SELECT TrajectoryId, DeviatingStep, Timestamp FROM {{ table('pattern_members') }} FINAL
    WHERE PatternId = {pattern:String}
    ORDER BY Timestamp DESC, TrajectoryId LIMIT {members:UInt64}
) AS m
INNER JOIN (
    SELECT * FROM {{ table('trajectory_steps') }} FINAL
    WHERE TrajectoryId IN (
        SELECT TrajectoryId FROM {{ table('pattern_members') }} FINAL WHERE PatternId = {pattern:String}
        ORDER BY Timestamp DESC, TrajectoryId LIMIT {members:UInt64})
) AS s ON s.TrajectoryId = m.TrajectoryId AND s.Step = m.DeviatingStep
ORDER BY m.Timestamp DESC, m.TrajectoryId
