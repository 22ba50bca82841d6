-- Calls that failed, were not answered, or were made as no peer makes them.
--
-- {others:UInt32}: calls of peers below which nothing is sure about what is usual. A call is not its own peer.
INSERT INTO {{ table('symptom_findings') }}
WITH
    calls AS (
        SELECT
            s.*,
            t.Calls - 1 AS others,
            others > 0 AND t.Told - (s.Answered = 2) >= 0.7 * others AS usually_told,
            arrayFilter(k -> t.Times[k] - 1 <= 0.15 * others, s.Keys) AS odd,
            arrayFilter(k -> t.Times[k] >= 0.8 * others AND NOT has(s.Keys, k), mapKeys(t.Times)) AS lacking,
            length(odd) + length(lacking) AS strange_keys,
            arrayExists(k -> t.Times[k] - 1 <= 0.03 * others, odd)
                OR arrayExists(k -> t.Times[k] >= 0.97 * others, lacking) AS never_so,
            arrayFilter(
                a -> a.echoed = 0 AND match(a.value, '\\d') AND NOT match(a.value, '^\\d{4}-\\d\\d?-')
                    AND t.Given[a.key] > {others:UInt32} AND t.Echoed[a.key] >= 0.75 * (t.Given[a.key] - 1),
                s.Arguments).value AS strange
        FROM {{ table('symptom_steps') }} AS s
        LEFT ANY JOIN {{ table('symptom_tools') }} AS t USING (Scope, Name)
        WHERE Kind = 'tool'
    ),
    told AS (SELECT TrajectoryId, max(Answered > 0) AS TellsResults FROM calls GROUP BY TrajectoryId)
SELECT TrajectoryId, Step, finding.1 AS Symptom, finding.2 AS Detail, finding.3 AS Weight
FROM calls
INNER JOIN told USING (TrajectoryId)
ARRAY JOIN arrayFilter(f -> f.4, [
    ('tool_error', concat(Name, ': ', Error), 0.4, Status = 'error'),
    ('ignored_error', Name, multiIf(Changes < 1, 0.3, ReplyDone, 0.9, 0.7),
        Status = 'error' AND Changes >= 0 AND ReplyStep > 0 AND NOT ReplyAdmits AND NextName != Name),
    ('empty_result', Name, if(usually_told, 0.8, 0.3), Answered = 1 AND Step < Last AND (usually_told OR Status != 'error')),
    ('empty_result', Name, 0.4, Hollow AND Status != 'error'),
    ('missing_result', Name, 0.8, Answered = 0 AND Step < Last AND (usually_told OR TellsResults)),
    ('unknown_tool', Name, 0.8, Offered = 0),
    ('invalid_arguments', Name, 0.8, Valid = 0),
    ('invalid_arguments', Name, multiIf(strange_keys > 1 AND others >= {others:UInt32}, 0.9, strange_keys > 1, 0.7,
        never_so AND others >= 10, 0.8, never_so AND others >= {others:UInt32}, 0.6, 0.4), strange_keys > 0 AND others > 0),
    ('argument_mismatch', Name, 0.9, notEmpty(strange) AND Answered = 2 AND Status != 'error')
]) AS finding
