-- The trajectories {ids:Array(String)} in full, for what scenarios are made of. Texts are cut to {chars:UInt64} characters.
--
-- Rows: TrajectoryId, TraceIds, System, steps as tuples (Step, Kind, Name, Text, Arguments, Result, Status) in order, Findings as
-- tuples (Symptom, Step); in order of TrajectoryId.
SELECT t.TrajectoryId AS TrajectoryId, t.TraceIds, substringUTF8(t.System, 1, {chars:UInt64}) AS System, s.Steps, f.Findings
FROM (
    SELECT TrajectoryId, TraceIds, System FROM {{ table('trajectories') }} FINAL WHERE TrajectoryId IN {ids:Array(String)}
) AS t
INNER JOIN (
    SELECT TrajectoryId, arraySort(x -> x.1, groupArray((
        Step, toString(Kind), toString(Name), substringUTF8(Text, 1, {chars:UInt64}), substringUTF8(Arguments, 1, {chars:UInt64}),
        substringUTF8(Result, 1, {chars:UInt64}), toString(Status)))) AS Steps
    FROM {{ table('trajectory_steps') }} FINAL
    WHERE TrajectoryId IN {ids:Array(String)}
    GROUP BY TrajectoryId
) AS s ON s.TrajectoryId = t.TrajectoryId
LEFT JOIN (
    SELECT TrajectoryId, groupArray((toString(Symptom), Step)) AS Findings FROM {{ table('trajectory_symptoms') }} FINAL
    WHERE TrajectoryId IN {ids:Array(String)}
    GROUP BY TrajectoryId
) AS f ON f.TrajectoryId = t.TrajectoryId
ORDER BY TrajectoryId
