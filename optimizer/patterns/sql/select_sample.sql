-- What terms can ask of the trajectories in pattern_sample, and what was said about them. Text is capped at
-- {text_bytes:UInt64} bytes. In order of TrajectoryId.
SELECT
    t.TrajectoryId AS TrajectoryId,
    concat(AgentName, '\n', AgentId, '\n', AgentVersion, '\n', Release) AS Agent,
    StepKinds, StepNames, StepStatuses, Tools, Turns, ModelCalls, ToolCalls, Errors,
    s.Symptoms AS Symptoms,
    f.Numbers AS Numbers,
    f.Stratum AS Stratum,
    substring(ifNull(Opening, ''), 1, {text_bytes:UInt64}) AS Opening,
    u.Told AS Told,
    p.Probability AS Probability,
    chosen.Dissatisfied AS Dissatisfied,
    chosen.Sampled AS Sampled
FROM (
    SELECT * FROM {{ table('trajectories') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM {{ table('pattern_sample') }})
) AS t
INNER JOIN {{ table('pattern_sample') }} AS chosen ON chosen.TrajectoryId = t.TrajectoryId
LEFT JOIN (
    SELECT TrajectoryId, groupArray((toString(Symptom), Detail, Weight)) AS Symptoms FROM {{ table('trajectory_symptoms') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM {{ table('pattern_sample') }})
    GROUP BY TrajectoryId
) AS s ON s.TrajectoryId = t.TrajectoryId
LEFT JOIN (
    SELECT TrajectoryId, Numbers, Stratum FROM {{ table('trajectory_features') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM {{ table('pattern_sample') }})
) AS f ON f.TrajectoryId = t.TrajectoryId
LEFT JOIN (
    SELECT TrajectoryId, Probability FROM {{ table('trajectory_satisfaction') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM {{ table('pattern_sample') }})
) AS p ON p.TrajectoryId = t.TrajectoryId
LEFT JOIN (
    SELECT TrajectoryId, arrayStringConcat(arrayMap(x -> x.2, arraySort(groupArray((Step,
        substring(ifNull(Text, ''), 1, {text_bytes:UInt64}))))), '\n') AS Told
    FROM {{ table('trajectory_steps') }} FINAL
    WHERE Kind = 'user' AND TrajectoryId IN (
        SELECT TrajectoryId FROM {{ table('pattern_sample') }} WHERE Dissatisfied IS NOT NULL)
    GROUP BY TrajectoryId
) AS u ON u.TrajectoryId = t.TrajectoryId
ORDER BY TrajectoryId
