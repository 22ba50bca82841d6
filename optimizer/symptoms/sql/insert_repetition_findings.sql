-- What is done again with no need: identical calls, messages and questions, and work handed to and fro.
--
-- Strong where nothing came between that could change the answer and the answer is the same; a second look after a change is natural.
INSERT INTO {{ table('symptom_findings') }}
WITH
    ordered AS (
        SELECT
            TrajectoryId, Step, Turn, Name, Hash, ResultHash, Answered, Changes,
            countIf(Changes >= 0) OVER past AS changed,
            count() OVER past AS calls
        FROM {{ table('symptom_steps') }}
        WHERE Kind = 'tool' AND TrajectoryId IN (
            SELECT TrajectoryId FROM {{ table('symptom_steps') }} WHERE Kind = 'tool' GROUP BY TrajectoryId, Hash HAVING count() > 1)
        WINDOW past AS (PARTITION BY TrajectoryId ORDER BY Step ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
    ),
    again AS (
        SELECT
            *,
            row_number() OVER same AS nth,
            any(ResultHash) OVER earlier AS last_result,
            any(Turn) OVER earlier AS last_turn,
            any(changed) OVER earlier AS last_changed,
            any(calls) OVER earlier AS last_calls,
            any(Changes) OVER earlier AS last_changes
        FROM ordered
        WINDOW
            same AS (PARTITION BY TrajectoryId, Hash ORDER BY Step),
            earlier AS (PARTITION BY TrajectoryId, Hash ORDER BY Step ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING)
    )
SELECT
    TrajectoryId, Step, 'repeated_call', Name,
    multiIf(
        ResultHash != last_result OR Answered = 0, 0.1,
        calls = last_calls + 1 AND Turn = last_turn, 0.8,
        calls = last_calls + 1 OR changed = last_changed, 0.3,
        0.2)
FROM again
WHERE nth > 1
UNION ALL
SELECT TrajectoryId, Step, 'loop', Name, 0.7 FROM again WHERE nth = 4 AND ResultHash = last_result
UNION ALL
SELECT TrajectoryId, Step, 'loop', 'message', 0.6
FROM (
    SELECT TrajectoryId, Step, row_number() OVER (PARTITION BY TrajectoryId, Agent, Hash ORDER BY Step) AS nth
    FROM {{ table('symptom_steps') }}
    WHERE Kind = 'assistant' AND Length >= 40
)
WHERE nth = 2
UNION ALL
SELECT TrajectoryId, steps[4], 'handoff_ping_pong', arrayStringConcat(arraySort(arrayDistinct(names)), ', '), 0.7
FROM (
    SELECT TrajectoryId, groupArray(Name) AS names, groupArray(Step) AS steps
    FROM (SELECT TrajectoryId, Name, Step FROM {{ table('symptom_steps') }} WHERE Kind = 'handoff' ORDER BY TrajectoryId, Step)
    GROUP BY TrajectoryId
)
WHERE length(names) >= 4 AND length(arrayDistinct(names)) <= 2
