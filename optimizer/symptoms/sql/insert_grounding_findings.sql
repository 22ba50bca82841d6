-- Arguments that nobody had told, and changes to another thing than the one that is being talked about.
--
-- A word counts as an identifier where it holds a digit and is no date, no short number.
INSERT INTO {{ table('symptom_findings') }}
WITH
    told AS (
        SELECT TrajectoryId, word, min(Step) AS first
        FROM {{ table('symptom_steps') }} ARRAY JOIN Words AS word
        WHERE Kind != 'assistant' AND length(word) >= 5
        GROUP BY TrajectoryId, word
    ),
    used AS (
        SELECT TrajectoryId, Step, Name, word
        FROM {{ table('symptom_steps') }}
        ARRAY JOIN arrayDistinct(arrayFlatten(arrayMap(v -> extractAll(v, '[\\w-]*\\d[\\w-]*'), Values))) AS word
        WHERE Kind = 'tool' AND length(word) >= 5 AND NOT match(word, '^\\d{1,5}$|^\\d{4}-\\d\\d?-\\d\\d?|^\\d\\d?-\\d\\d?-\\d{4}')
    ),
    strange AS (
        SELECT u.TrajectoryId AS TrajectoryId, u.Step AS Step, u.Name AS Name, u.word AS word
        FROM used AS u
        LEFT ANY JOIN told AS t ON t.TrajectoryId = u.TrajectoryId AND t.word = u.word
        WHERE t.first = 0 OR t.first >= u.Step
    ),
    talk AS (
        SELECT
            c.TrajectoryId AS TrajectoryId, c.Step AS Step, c.Name AS Name, any(c.Values) AS own,
            groupArrayArrayIf(s.Words, s.Step < c.Step AND s.Step + 5 >= c.Step) AS before,
            groupArrayArrayIf(s.Words, s.Step = c.ReplyStep) AS after
        FROM {{ table('symptom_steps') }} AS c
        INNER JOIN {{ table('symptom_steps') }} AS s ON s.TrajectoryId = c.TrajectoryId
        WHERE c.Kind = 'tool' AND c.Changes = 1 AND c.ReplyStep > 0 AND s.Kind IN ('user', 'assistant')
        GROUP BY ALL
    ),
    forms AS (
        SELECT
            TrajectoryId, Step, Name,
            arrayFilter(w -> length(w) >= 5 AND NOT has(own, w) AND NOT match(w, '^\\d{1,5}$|^\\d{4}-\\d\\d?-\\d\\d?|[.,]'),
                arrayIntersect(before, after)) AS meant,
            arrayFilter(v -> match(v, '\\d') AND NOT has(before, v) AND NOT has(after, v), own) AS unnamed,
            arrayMap(w -> if(match(w, '^[a-z0-9]*[0-9][a-z][a-z0-9]*$|^[a-z]{5,}[0-9]$'), toString(length(w)),
                replaceRegexpAll(w, '\\d+', '0')), meant) AS meant_forms,
            arrayMap(w -> if(match(w, '^[a-z0-9]*[0-9][a-z][a-z0-9]*$|^[a-z]{5,}[0-9]$'), toString(length(w)),
                replaceRegexpAll(w, '\\d+', '0')), unnamed) AS unnamed_forms
        FROM talk
    )
SELECT TrajectoryId, Step, 'fabricated_argument', Name, 0.7
FROM strange
INNER JOIN (
    SELECT TrajectoryId, lower(ifNull(System, '')) AS system FROM {{ table('trajectories') }} FINAL
    WHERE TrajectoryId IN (SELECT TrajectoryId FROM strange)
) AS t USING (TrajectoryId)
WHERE position(system, word) = 0
UNION ALL
SELECT TrajectoryId, Step, 'argument_mismatch', Name, 0.8
FROM forms
WHERE hasAny(meant_forms, unnamed_forms)
