-- Read the steps of a trajectory in order, with what looks wrong at each.
--
-- Parameters: id:String. Rows: step, kind, agent, name, text, reasoning, arguments, result, status, error_type, model, time, trace,
-- span, symptoms (name and detail).
SELECT
    s.Step AS step, s.Kind AS kind, s.Agent AS agent, s.Name AS name, s.Text AS text, s.Arguments AS arguments,
    s.Result AS result, s.Status AS status, s.ErrorType AS error_type, s.Timestamp AS time, s.TraceId AS trace,
    s.SpanId AS span, y.symptoms AS symptoms
FROM (SELECT * FROM {{ table('trajectory_steps') }} FINAL WHERE TrajectoryId = {id:String}) AS s
LEFT JOIN (
    SELECT Step, groupArray(if(empty(Detail), toString(Symptom), concat(Symptom, ': ', Detail))) AS symptoms
    FROM {{ table('trajectory_symptoms') }} FINAL
    WHERE TrajectoryId = {id:String}
    GROUP BY Step
) AS y ON y.Step = s.Step
ORDER BY s.Step
