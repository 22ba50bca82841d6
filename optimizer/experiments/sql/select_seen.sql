-- What criteria ask of the trajectories {ids:Array(String)}; a text is cut to {chars:UInt32} characters. By TrajectoryId.
--
-- Columns: TrajectoryId, Tools, Turns, ModelCalls, ToolCalls, Errors, Symptoms (symptom, detail, weight), Numbers (of features), Stratum,
-- Steps (Kind, Name, Status, Text, Arguments; in order).
SELECT t.TrajectoryId AS TrajectoryId, Tools, Turns, ModelCalls, ToolCalls, Errors, s.Symptoms, f.Numbers, f.Stratum, told.Steps
FROM (SELECT * FROM {{ table('trajectories') }} FINAL WHERE TrajectoryId IN {ids:Array(String)}) AS t
INNER JOIN (
    SELECT TrajectoryId, arrayMap(step -> (step.2, step.3, step.4, step.5, step.6), arraySort(step -> step.1, groupArray((
        Step, toString(Kind), toString(Name), toString(Status),
        substringUTF8(Text, 1, {chars:UInt32}), substringUTF8(Arguments, 1, {chars:UInt32}))))) AS Steps
    FROM {{ table('trajectory_steps') }} FINAL WHERE TrajectoryId IN {ids:Array(String)} GROUP BY TrajectoryId
) AS told ON told.TrajectoryId = t.TrajectoryId
LEFT JOIN (
    SELECT TrajectoryId, groupArray((toString(Symptom), Detail, Weight)) AS Symptoms
    FROM {{ table('trajectory_symptoms') }} FINAL WHERE TrajectoryId IN {ids:Array(String)} GROUP BY TrajectoryId
) AS s ON s.TrajectoryId = t.TrajectoryId
LEFT JOIN (
    SELECT TrajectoryId, Numbers, Stratum FROM {{ table('trajectory_features') }} FINAL WHERE TrajectoryId IN {ids:Array(String)}
) AS f ON f.TrajectoryId = t.TrajectoryId
ORDER BY TrajectoryId
