-- What the dialogue itself tells: corrections, frustration, requests and questions made again, refusals, handing over to a person.
INSERT INTO {{ table('symptom_findings') }}
WITH
    texts AS (
        SELECT
            *,
            groupArray((Sketch, Turn, Step)) OVER (
                PARTITION BY TrajectoryId, Kind ORDER BY Step ROWS BETWEEN 6 PRECEDING AND 1 PRECEDING) AS earlier
        FROM {{ table('symptom_steps') }}
        WHERE Kind IN ('user', 'assistant')
    ),
    calls AS (
        SELECT
            *,
            any(Name) OVER before AS last_name,
            any(Values) OVER before AS last_values,
            any(Status = 'error' OR Answered = 1 OR Hollow) OVER before AS last_failed
        FROM {{ table('symptom_steps') }}
        WHERE Kind = 'tool'
        WINDOW before AS (PARTITION BY TrajectoryId ORDER BY Step ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING)
    )
SELECT TrajectoryId, Step, finding.1, finding.2, finding.3
FROM texts
ARRAY JOIN arrayFilter(f -> f.4, [
    ('user_correction', '', if(has(Says, 'corrects'), 0.4, 0.2), Kind = 'user' AND Turn > 1 AND hasAny(Says, ['corrects', 'denies'])),
    ('user_frustration', '', 0.5, Kind = 'user' AND has(Says, 'frustrated')),
    ('rephrased_request', '', 0.5, Kind = 'user' AND Sketch != 0
        AND arrayExists(e -> e.1 != 0 AND bitHammingDistance(e.1, Sketch) <= 6, earlier)),
    ('repeated_question', '', 0.4, Kind = 'assistant' AND Sketch != 0 AND has(Closing, 'asks')
        AND arrayExists(e -> e.1 != 0 AND e.2 < Turn AND bitHammingDistance(e.1, Sketch) <= 6, earlier)),
    ('escalation', 'asked for', 0.4, Kind = 'user' AND has(Says, 'wants_person')),
    ('escalation', 'handed over', 0.3, Kind = 'assistant' AND has(Says, 'hands_over')),
    ('refusal', '', 0.2, Kind = 'assistant' AND has(Says, 'refuses'))
]) AS finding
UNION ALL
SELECT TrajectoryId, Step, 'wrong_tool_then_right', concat(last_name, ' > ', Name), 0.5
FROM calls
WHERE last_failed AND Name != last_name AND Status != 'error' AND Answered = 2 AND NOT Hollow AND hasAny(Values, last_values)
