-- symptom_look_ups: for each tool that changes something, which tool peers had asked about the same value before.
--
-- {reads:Array(String)}, {changes:Array(String)}: patterns of names of tools. Of Calls that change, Looked had an earlier call to
-- Look, which changes nothing, about one of their arguments; Look = '' counts any earlier call that shares one. Dates say nothing.
CREATE OR REPLACE TABLE {{ table('symptom_look_ups') }} ENGINE = Memory AS
WITH
    calls AS (
        SELECT
            TrajectoryId, Scope, Step, Name,
            NOT match(Name, {reads:Array(String)}[1])
                AND (match(Name, {changes:Array(String)}[1]) OR match(Name, {changes:Array(String)}[2])) AS change,
            lower(replaceAll(ifNull(Arguments, ''), '#', '')) AS asked,
            arrayDistinct(arrayConcat(
                extractAll(asked, '"\\s*:\\s*"([\\w@.+-]{3,64})"'),
                arrayFlatten(arrayMap(
                    l -> extractAll(l, '"([\\w@.+-]{3,64})"'), extractAll(asked, '"\\s*:\\s*\\[([^\\[\\]{}]*)\\]'))),
                extractAll(asked, '[\\s,:\\[](\\d{5,})\\b'))) AS values
        FROM {{ table('trajectory_steps') }} FINAL
        INNER JOIN {{ table('symptom_peers') }} USING (TrajectoryId)
        WHERE Kind = 'tool' AND TrajectoryId IN (SELECT TrajectoryId FROM {{ table('symptom_peers') }})
    ),
    uses AS (
        SELECT TrajectoryId, Scope, Step, Name, change, value
        FROM calls ARRAY JOIN values AS value
        WHERE match(value, '\\d') AND NOT match(value, '^\\d{4}-\\d\\d?-\\d\\d?')
    ),
    made AS (SELECT TrajectoryId, Scope, Step, Name, uniqExact(value) AS n FROM uses WHERE change GROUP BY ALL),
    looked AS (
        SELECT w.TrajectoryId AS TrajectoryId, w.Scope AS Scope, w.Name AS Name, w.Step AS Step, r.Name AS Look, r.change AS changed
        FROM uses AS w
        INNER JOIN uses AS r ON w.TrajectoryId = r.TrajectoryId AND w.value = r.value
        WHERE w.change AND r.Step < w.Step
        GROUP BY ALL
    )
SELECT m.Scope AS Scope, m.Name AS Name, l.Look AS Look, any(m.calls) AS Calls, toUInt64(any(l.looked)) AS Looked
FROM (SELECT Scope, Name, count() AS calls FROM made GROUP BY ALL) AS m
LEFT JOIN (
    SELECT Scope, Name, Look, count() AS looked FROM looked WHERE NOT changed GROUP BY ALL
    UNION ALL
    SELECT Scope, Name, '' AS Look, uniqExact(TrajectoryId, Step) AS looked FROM looked GROUP BY ALL
) AS l ON m.Scope = l.Scope AND m.Name = l.Name
GROUP BY ALL
