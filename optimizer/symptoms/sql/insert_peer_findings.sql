-- Changes made without the look-up that peers make before them.
--
-- {others:UInt32}: calls of peers below which nothing is usual. A look-up is an earlier call about one of the same values.
INSERT INTO {{ table('symptom_findings') }}
WITH
    uses AS (
        SELECT TrajectoryId, Scope, Step, Name, Changes, value
        FROM {{ table('symptom_steps') }} ARRAY JOIN Values AS value
        WHERE Kind = 'tool' AND match(value, '\\d') AND NOT match(value, '^\\d{4}-\\d\\d?-\\d\\d?')
    ),
    looked AS (
        SELECT TrajectoryId, Step, groupUniqArrayIf(r.name, r.step < Step) AS looks
        FROM uses
        INNER JOIN (SELECT TrajectoryId, value, Name AS name, Step AS step FROM uses) AS r USING (TrajectoryId, value)
        WHERE Changes = 1
        GROUP BY TrajectoryId, Step
    ),
    usual AS (
        SELECT
            Scope, Name,
            any(Calls) - 1 AS others,
            sumIf(Looked, Look = '') AS any_look,
            argMaxIf(Look, Looked, Look != '') AS main,
            maxIf(Looked, Look != '') AS main_looked,
            sum(any_look) OVER (PARTITION BY Scope) / sum(others + 1) OVER (PARTITION BY Scope) AS scope_looks
        FROM {{ table('symptom_look_ups') }}
        GROUP BY Scope, Name
    )
SELECT
    TrajectoryId, Step, 'missing_peer_step', if(main = '', Name, concat(main, ' < ', Name)),
    multiIf(empty(looks) AND others >= {others:UInt32} AND any_look >= 0.6 * others, 0.9, 0.7)
FROM (SELECT DISTINCT TrajectoryId, Scope, Step, Name FROM uses WHERE Changes = 1) AS c
INNER JOIN looked USING (TrajectoryId, Step)
INNER JOIN usual USING (Scope, Name)
WHERE (empty(looks) AND (any_look >= 0.6 * others OR (scope_looks >= 0.7 AND any_look > 0.1 * others)))
   OR (others >= {others:UInt32} AND main != '' AND NOT has(looks, main) AND main_looked >= 0.6 * others)
