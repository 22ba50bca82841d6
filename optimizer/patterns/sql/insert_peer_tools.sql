-- Count what the runs of each stratum call and change: at most {runs:UInt64} runs of each, drawn by a hash with {seed:UInt64},
-- closed and at least {completeness:Float64} complete. {changing:Array(String)} are the tools that change something, at most
-- {values:UInt64} values a stratum are kept; {version:UInt64}.
INSERT INTO {{ table('peer_tools') }} (Stratum, Runs, Tools, Counts, Changes, Values, ValueCounts, Version)
WITH
    sampled AS (
        SELECT f.Stratum AS Stratum, TrajectoryId,
            arrayDistinct(arrayFilter((n, k, s) -> k = 'tool' AND s != 'error', StepNames, StepKinds, StepStatuses)) AS Called
        FROM {{ table('trajectories') }} AS t FINAL
        INNER JOIN (
            SELECT TrajectoryId, Stratum FROM {{ table('trajectory_features') }} FINAL
            WHERE Stratum != '' AND TrajectoryId NOT IN (SELECT TrajectoryId FROM {{ table('trajectories') }} WHERE RunId != '')
            ORDER BY cityHash64(TrajectoryId, {seed:UInt64}) LIMIT {runs:UInt64} BY Stratum
        ) AS f USING (TrajectoryId)
        WHERE RunId = '' AND State = 'closed' AND Completeness >= {completeness:Float64}
    ),
    changed AS (
        SELECT DISTINCT TrajectoryId, arrayJoin(arrayMap(v -> cityHash64(Name, v.1, lower(v.2)),
            JSONExtractKeysAndValuesRaw(ifNull(Arguments, '')))) AS Value
        FROM {{ table('trajectory_steps') }} FINAL
        WHERE Kind = 'tool' AND Status != 'error' AND has({changing:Array(String)}, Name)
            AND TrajectoryId IN (SELECT TrajectoryId FROM sampled)
    )
SELECT runs.Stratum, runs.Runs, tools.Names, tools.Counted, arrayMap(n -> has({changing:Array(String)}, n), tools.Names),
    changes.Found, changes.Counted, {version:UInt64}
FROM (SELECT Stratum, groupArray(cityHash64(TrajectoryId)) AS Runs FROM sampled GROUP BY Stratum) AS runs
LEFT JOIN (
    SELECT Stratum, groupArray(Name) AS Names, groupArray(N) AS Counted
    FROM (
        SELECT Stratum, toString(arrayJoin(Called)) AS Name, toUInt32(count()) AS N FROM sampled
        GROUP BY Stratum, Name ORDER BY Name
    )
    GROUP BY Stratum
) AS tools ON tools.Stratum = runs.Stratum
LEFT JOIN (
    SELECT Stratum, groupArray(Value) AS Found, groupArray(N) AS Counted
    FROM (
        SELECT sampled.Stratum AS Stratum, Value, toUInt32(count()) AS N
        FROM changed INNER JOIN sampled ON sampled.TrajectoryId = changed.TrajectoryId
        GROUP BY Stratum, Value
        HAVING N >= 2
        ORDER BY N DESC, Value LIMIT {values:UInt64} BY Stratum
    )
    GROUP BY Stratum
) AS changes ON changes.Stratum = runs.Stratum
