-- Write the members of every pattern among the trajectories {first:UInt64} to {last:UInt64} of pattern_todo.
--
-- A condition and the steps that show it, per pattern in the order of {patterns:Array(String)}, are made by
-- spanloop.optimizer.patterns.predicate_sql; their values are parameters too. `numbers` is
-- spanloop.optimizer.patterns.peers.NUMBERS_SQL; features of another version than {feature_version:UInt32} are unknown;
-- {values:Bool}: whether a predicate asks for changed values, which steps have to be read for. {completeness:Float64} as for
-- comparisons; {version:UInt64} of the rows. The deviating step is the first that shows the pattern, else the last step.
INSERT INTO {{ table('pattern_members') }}
    (PatternId, TrajectoryId, DeviatingStep, EvidenceSteps, TraceId, SpanId, Timestamp, Version, IsDeleted)
WITH chunk AS (SELECT TrajectoryId FROM {{ table('pattern_todo') }} WHERE N BETWEEN {first:UInt64} AND {last:UInt64}),
    found AS (
        SELECT
            TrajectoryId, First, Start, length(Kinds) AS Steps,
            arrayJoin(arrayFilter(m -> m.2, arrayZip({patterns:Array(String)}, [{{ holds }}], [{{ evidence }}]))) AS Member,
            arraySlice(arraySort(arrayDistinct(Member.3)), 1, 8) AS Evidence,
            greatest(if(empty(Evidence), toUInt32(length(Kinds)), Evidence[1]), 1) AS Deviating
        FROM (
            SELECT t.TrajectoryId AS TrajectoryId, t.TraceIds[1] AS First, t.Start AS Start,
                t.StepKinds AS Kinds, t.StepNames AS Names, t.StepStatuses AS Statuses, t.Tools AS Tools,
                t.Turns AS Turns, t.ModelCalls AS ModelCalls, t.ToolCalls AS ToolCalls, t.Errors AS Errors,
                s.Symptoms AS Symptoms, {{ numbers }} AS Numbers, f.Stratum AS Stratum
            FROM (
                SELECT * FROM {{ table('trajectories') }} FINAL
                WHERE TrajectoryId IN (SELECT TrajectoryId FROM chunk)
                    AND RunId = '' AND State = 'closed' AND Completeness >= {completeness:Float64}
            ) AS t
            LEFT JOIN (
                SELECT TrajectoryId, groupArray((toString(Symptom), Detail, Step, Weight)) AS Symptoms
                FROM {{ table('trajectory_symptoms') }} FINAL
                WHERE TrajectoryId IN (SELECT TrajectoryId FROM chunk)
                GROUP BY TrajectoryId
            ) AS s ON s.TrajectoryId = t.TrajectoryId
            LEFT JOIN (
                SELECT TrajectoryId, Numbers AS Stored, Stratum FROM {{ table('trajectory_features') }} FINAL
                WHERE TrajectoryId IN (SELECT TrajectoryId FROM chunk) AND FeatureVersion = {feature_version:UInt32}
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
                WHERE {values:Bool} AND Kind = 'tool' AND Status != 'error' AND TrajectoryId IN (SELECT TrajectoryId FROM chunk)
                    AND Name IN (SELECT arrayJoin(arrayFilter((n, w) -> w, Tools, Changes)) FROM {{ table('peer_tools') }} FINAL)
                GROUP BY TrajectoryId
            ) AS changed ON changed.TrajectoryId = t.TrajectoryId
        )
    )
SELECT Member.1, found.TrajectoryId, Deviating, Evidence, if(told.TraceId = '', First, told.TraceId), told.SpanId, Start,
    {version:UInt64}, 0
FROM found
LEFT JOIN (
    SELECT TrajectoryId, Step, TraceId, SpanId FROM {{ table('trajectory_steps') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM chunk)
) AS told ON told.TrajectoryId = found.TrajectoryId AND told.Step = Deviating
