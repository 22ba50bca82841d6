-- Amounts and identifiers in an answer that no tool, user or instruction told, nor simple arithmetic of what they told.
--
-- Arithmetic: sums, differences and multiples of amounts that the agent named, running sums of one answer, and sums of up to three
-- told numbers with cents (whole numbers would add up to anything). Many untold amounts in one answer are rather sums not foreseen here.
-- At most 400 numbers of a trajectory are looked at.
INSERT INTO {{ table('symptom_findings') }}
WITH
    told AS (
        SELECT
            TrajectoryId,
            min(Step) AS first,
            toInt64(round(100 * toFloat64OrZero(if(match(number, '^\\d{1,3}(,\\d{3})+(\\.\\d+)?$'), replaceAll(number, ',', ''), number)))) AS cents
        FROM {{ table('symptom_steps') }}
        ARRAY JOIN arrayDistinct(arrayFilter(w -> match(w, '^-?\\d[\\d,.]*$'), Words)) AS number
        WHERE Kind != 'assistant' AND TrajectoryId IN (SELECT TrajectoryId FROM {{ table('symptom_steps') }} WHERE notEmpty(Amounts))
        GROUP BY TrajectoryId, cents
    ),
    known AS (
        SELECT TrajectoryId, arraySlice(groupArray((toInt64(abs(cents)), first)), 1, 400) AS numbers
        FROM told WHERE cents != 0 GROUP BY TrajectoryId
    ),
    claims AS (
        SELECT
            TrajectoryId, Step, Amounts,
            groupArrayArray(s.Amounts) OVER (
                PARTITION BY TrajectoryId ORDER BY Step ROWS BETWEEN 8 PRECEDING AND 1 PRECEDING) AS mentioned,
            arrayMap(n -> n.1, arrayFilter(n -> n.2 < Step, k.numbers)) AS numbers,
            arrayFilter(a -> a >= 1000 AND NOT has(numbers, a), Amounts) AS untold
        FROM {{ table('symptom_steps') }} AS s
        LEFT ANY JOIN known AS k USING (TrajectoryId)
        WHERE s.Kind = 'assistant' AND notEmpty(s.Amounts)
    ),
    computed AS (
        SELECT
            TrajectoryId, Step, claim,
            arrayDistinct(arrayFilter(a -> a != claim AND a > 0, arrayConcat(Amounts, mentioned))) AS operands,
            arrayCumSum(arrayFilter(a -> a != claim, Amounts)) AS sums,
            if(claim % 100 = 0, [], arraySlice(arrayFilter(n -> n % 100 != 0 AND n < claim, numbers), 1, 60)) AS parts
        FROM claims ARRAY JOIN arrayDistinct(untold) AS claim
    ),
    ungrounded AS (
        SELECT TrajectoryId, Step, claim, count() OVER (PARTITION BY TrajectoryId, Step) AS beside
        FROM computed
        WHERE NOT arrayExists(o -> has(operands, claim - o) OR has(operands, claim + o)
                OR (claim % o = 0 AND intDiv(claim, o) <= 12) OR (o % claim = 0 AND intDiv(o, claim) <= 12), operands)
            AND NOT has(sums, claim)
            AND NOT arrayExists(s -> has(sums, s + claim), sums)
            AND NOT arrayExists(p -> has(parts, claim - p) OR arrayExists(r -> has(parts, claim - p - r), parts), parts)
    )
SELECT TrajectoryId, min(Step), 'ungrounded_claim', 'amount', if(any(beside) > 2, 0.5, 0.8)
FROM ungrounded
INNER JOIN (
    SELECT TrajectoryId, replaceAll(ifNull(System, ''), ',', '') AS system FROM {{ table('trajectories') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM ungrounded)
) AS t USING (TrajectoryId)
WHERE NOT match(system, concat('(^|[^0-9.])', if(claim % 100 = 0, toString(intDiv(claim, 100)), toString(claim / 100)), '($|[^0-9])'))
GROUP BY TrajectoryId, claim
