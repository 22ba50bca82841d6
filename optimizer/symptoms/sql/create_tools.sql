-- symptom_tools: what peers do with each tool: how often it answers, which arguments it is given, which of them its answer repeats.
--
-- By argument: Keys: trajectories that give it; Times: calls that do; Given: calls that give one word, of them Echoed.
CREATE OR REPLACE TABLE {{ table('symptom_tools') }} ENGINE = Memory AS
WITH
    calls AS (
        SELECT
            TrajectoryId, Scope, Name,
            JSONExtractKeys(ifNull(Arguments, '')) AS keys,
            ifNull(Result, '') AS answer,
            Status != 'error' AND NOT match(answer, '^\\s*$') AS told,
            ifNull(Arguments, '') AS asked,
            arrayConcat(
                arrayMap(p -> (p[1], p[2]), extractAllGroupsVertical(asked, '"(\\w+)"\\s*:\\s*"([\\w#@.+-]{3,64})"')),
                arrayFlatten(arrayMap(
                    l -> arrayMap(v -> (l[1], v), extractAll(l[2], '"([\\w#@.+-]{3,64})"')),
                    extractAllGroupsVertical(asked, '"(\\w+)"\\s*:\\s*\\[([^\\[\\]{}]*)\\]')))) AS pairs
        FROM {{ table('trajectory_steps') }} FINAL
        INNER JOIN {{ table('symptom_peers') }} USING (TrajectoryId)
        WHERE Kind = 'tool' AND TrajectoryId IN (SELECT TrajectoryId FROM {{ table('symptom_peers') }})
    ),
    runs AS (
        SELECT
            Scope, Name, TrajectoryId,
            count() AS n,
            countIf(NOT match(answer, '^\\s*$')) AS n_told,
            groupUniqArrayArray(keys) AS used,
            groupArrayArray(keys) AS uses,
            groupArrayArrayIf(arrayMap(a -> (a.1, position(answer, a.2) > 0), pairs), told) AS echoes
        FROM calls
        GROUP BY Scope, Name, TrajectoryId
    )
SELECT
    Scope, Name,
    sum(n) AS Calls,
    sum(n_told) AS Told,
    count() AS Trajectories,
    sumMap(used, arrayMap(k -> toUInt32(1), used)) AS keys,
    sumMap(echoes.1, arrayMap(k -> toUInt32(1), echoes.1)) AS given,
    sumMap(echoes.1, arrayMap(e -> toUInt32(e), echoes.2)) AS echoed,
    mapFromArrays(keys.1, keys.2) AS Keys,
    sumMap(uses, arrayMap(k -> toUInt32(1), uses)) AS times,
    mapFromArrays(times.1, times.2) AS Times,
    mapFromArrays(given.1, given.2) AS Given,
    mapFromArrays(echoed.1, echoed.2) AS Echoed
FROM runs
GROUP BY Scope, Name
