-- Texts and trajectories that end too early.
--
-- A text is cut where the model ran out of tokens, or where its last line stops inside a sentence.
INSERT INTO {{ table('symptom_findings') }}
WITH
    ends AS (
        SELECT
            TrajectoryId, Step, Last, Kind, Name, FinishReason, Says, Closing, Length, Answered, Error,
            match(Ending, '[a-z,]$') AS open,
            match(Ending, '^\\s*(?:[-*•#|>]|\\d+[.)]\\s|https?:|[^ ]*$)') AND length(Ending) < 60 AS listed,
            match(Ending, concat('(?i)\\b(?:the|a|an|to|of|and|or|for|with|in|on|at|by|from|that|this|your|our|my|is|are|be|will|would',
                '|can|could|if|but|as|has|have|been|not|so|it|you|i|we|please|any|which|when|who|about|into|than|then|their|its)$|,$'))
                OR modulo(countSubstrings(Ending, '**'), 2) = 1 AS inside,
            b.asked AS asked,
            has(Says, 'agrees') OR (has(Says, 'assents') AND hasAny(b.offered, ['offers', 'asks'])) AS consents
        FROM {{ table('symptom_steps') }} AS s
        LEFT ANY JOIN (
            SELECT TrajectoryId, Last AS at, Closing AS asked, Says AS offered
            FROM {{ table('symptom_steps') }} WHERE Step = Last - 1
        ) AS b ON b.TrajectoryId = s.TrajectoryId AND b.at = s.Step
    )
SELECT TrajectoryId, Step, finding.1, finding.2, finding.3
FROM ends
ARRAY JOIN arrayFilter(f -> f.4, [
    ('truncated_output', 'limit', 0.95, match(FinishReason, '(?i)length|max_?(output_?)?tokens')),
    ('truncated_output', 'inside a sentence', multiIf(inside, 0.9, listed, 0.4, 0.7), Kind = 'assistant' AND Length >= 20 AND open),
    ('premature_end', 'promise', 0.8,
        Step = Last AND Kind = 'assistant' AND has(Closing, 'promise') AND NOT hasAny(Closing, ['asks', 'hands_over'])),
    ('premature_end', 'call', 0.2, Step = Last AND Kind = 'tool' AND Answered > 0),
    ('unanswered_user', if(consents, 'consent', 'request'),
        multiIf(has(asked, 'hands_over') AND Length < 60, 0.3, consents, 0.8, hasAny(Says, ['thanks', 'closes']), 0.3, 0.6),
        Step = Last AND Step > 1 AND Kind = 'user' AND (consents OR has(Says, 'wants'))
            AND NOT hasAny(Says, ['declines', 'denies', 'wants_person'])),
    ('context_near_limit', Name, 0.8, match(Error, 'context.{0,20}(length|window|limit)|too many tokens|maximum.{0,20}tokens'))
]) AS finding
