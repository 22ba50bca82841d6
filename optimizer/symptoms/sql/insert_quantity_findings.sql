-- Numbers of days, hours, percent … in an answer that neither instructions, user nor tool had told by then.
--
-- A hint: people also say "two to three days" of what they were told otherwise, so its weight stays below sure.
INSERT INTO {{ table('symptom_findings') }}
WITH
    claims AS (
        SELECT TrajectoryId, Step, quantity
        FROM {{ table('symptom_steps') }}
        ARRAY JOIN Quantities AS quantity
        WHERE Kind = 'assistant'
    ),
    told AS (
        SELECT TrajectoryId, word, min(Step) AS first
        FROM {{ table('symptom_steps') }}
        ARRAY JOIN Words AS word
        WHERE Kind != 'assistant' AND TrajectoryId IN (SELECT TrajectoryId FROM claims)
        GROUP BY TrajectoryId, word
    ),
    untold AS (
        SELECT c.TrajectoryId AS TrajectoryId, c.quantity AS quantity, min(c.Step) AS Step
        FROM claims AS c
        LEFT JOIN told AS t ON t.TrajectoryId = c.TrajectoryId AND t.word = c.quantity
        WHERE t.first = 0 OR t.first > c.Step
        GROUP BY TrajectoryId, quantity
    )
SELECT TrajectoryId, min(Step), 'ungrounded_claim', 'quantity', 0.4
FROM untold
INNER JOIN (
    SELECT TrajectoryId, ifNull(System, '') AS system FROM {{ table('trajectories') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM untold)
) AS t USING (TrajectoryId)
WHERE NOT match(system, concat('(^|[^0-9.])', quantity, '($|[^0-9])'))
GROUP BY TrajectoryId
