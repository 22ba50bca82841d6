-- What terms can ask of the trajectories in pattern_sample, and what was said about them. Text is capped at
-- {text_bytes:UInt64} bytes; `numbers` is spanloop.optimizer.patterns.peers.NUMBERS_SQL;
-- features of another version than {feature_version:UInt32} are unknown. In order of TrajectoryId.
SELECT
    t.TrajectoryId AS TrajectoryId,
    concat(AgentName, '\n', AgentId, '\n', AgentVersion, '\n', Release) AS Agent,
    StepKinds, StepNames, StepStatuses, Tools, Turns, ModelCalls, ToolCalls, Errors,
    s.Symptoms AS Symptoms,
    {{ numbers }} AS Numbers,
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
    SELECT TrajectoryId, Numbers AS Stored, Stratum FROM {{ table('trajectory_features') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM {{ table('pattern_sample') }}) AND FeatureVersion = {feature_version:UInt32}
) AS f ON f.TrajectoryId = t.TrajectoryId
LEFT JOIN (
    SELECT Stratum, Runs AS PeerRuns, Tools AS PeerTools, Counts AS PeerCounts, Changes AS PeerChanges,
        Values AS PeerValues, ValueCounts AS PeerValueCounts
    FROM {{ table('peer_tools') }} FINAL
) AS peers ON peers.Stratum = f.Stratum
LEFT JOIN (
    SELECT TrajectoryId, groupUniqArrayArray(arrayMap(v -> cityHash64(Name, v.1, lower(v.2)),
        JSONExtractKeysAndValuesRaw(ifNull(Arguments, '')))) AS ChangedValues
    FROM {{ table('trajectory_steps') }} FINAL
    WHERE Kind = 'tool' AND Status != 'error' AND TrajectoryId IN (SELECT TrajectoryId FROM {{ table('pattern_sample') }})
        AND Name IN (SELECT arrayJoin(arrayFilter((n, w) -> w, Tools, Changes)) FROM {{ table('peer_tools') }} FINAL)
    GROUP BY TrajectoryId
) AS changed ON changed.TrajectoryId = t.TrajectoryId
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
