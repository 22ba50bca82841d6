-- feedback_found -> feedback_read: what a result says, by the rules of spanloop.optimizer.feedback.rules.
-- Parameters: conversation_keys, user_keys, feedback_names, outcome_names, rating_names, human_kinds, model_kinds Array(String),
-- opinions, answers Array(String) with opinion_values, answer_values Array(Float64).
INSERT INTO {{ table('feedback_read') }}
SELECT
    substring(lower(hex(SHA256(arrayStringConcat(
        [Project, TraceId, SpanId, if(TraceId = '', ConversationId, ''), Name, if(Identifier != '', concat('id:', Identifier), concat('by:', if(Source = 'feedback', Person, Assessor)))],
        '\0')))), 1, 32) AS AssessmentId,
    Project, TraceId, SpanId, ConversationId, Source, Name, Score, Label,
    if(Comment = '', NULL, Comment) AS Explanation,
    Assessor, AssessorVersion,
    multiIf(Probability IS NOT NULL, 'sampled', Source = 'feedback', 'volunteered', 'targeted') AS Selection,
    Probability AS SelectionProbability,
    SampleId, Carrier, Timestamp,
    -- Nothing is said after it arrived: a clock that is ahead must not outrank what is said next.
    toUInt64(greatest(toUnixTimestamp64Milli(if(ArrivedAt > toDateTime64(0, 9), least(Timestamp, ArrivedAt), Timestamp)), 0)) AS Version,
    Retracted AS IsDeleted,
    coalesce(
        transform(LabelKey, {opinions:Array(String)}, {opinion_values:Array(Float64)}, NULL),
        if(Directional, transform(LabelKey, {answers:Array(String)}, {answer_values:Array(Float64)}, NULL), NULL)
    ) AS Says,
    Directional,
    NameKey IN {rating_names:Array(String)} AS Rated
FROM (
    SELECT
        *,
        NameKey IN {feedback_names:Array(String)} AS Feedback,
        NameKey IN {outcome_names:Array(String)} AS Outcome,
        Feedback OR Outcome AS Directional,
        multiIf(
            Kind IN {human_kinds:Array(String)}, 'feedback',
            Kind IN {model_kinds:Array(String)}, 'evaluation',
            Kind = 'CODE', if(Outcome, 'outcome', 'evaluation'),
            Feedback, 'feedback',
            'evaluation') AS Source,
        substringUTF8(if(Source = 'feedback', User, Evaluator), 1, 200) AS Assessor,
        -- A label that long is a comment.
        lengthUTF8(Labelled) > 100 AS Wordy,
        if(Wordy, '', Labelled) AS Label,
        substringUTF8(if(Wordy AND Explained = '', Labelled, Explained), 1, 2000) AS Comment,
        -- Skin tones and emoji variants say nothing.
        replaceRegexpAll(replaceRegexpAll(lowerUTF8(Label), '[\\x{1F3FB}-\\x{1F3FF}\\x{FE0F}]', ''), '[ -]+', '_') AS LabelKey
    FROM (
        SELECT
            Project, Carrier, Timestamp, ArrivedAt,
            if(found.TraceId = '' AND Carrier = 'log', answer.TraceId, found.TraceId) AS TraceId,
            if(found.TraceId = '' AND Carrier = 'log', answer.SpanId, found.SpanId) AS SpanId,
            substringUTF8(trim(Attributes['gen_ai.evaluation.name']), 1, 200) AS Name,
            trim(BOTH '_' FROM replaceRegexpAll(lower(replaceRegexpAll(Name, '([a-z0-9])([A-Z])', '\\1_\\2')), '[^a-z0-9]+', '_')) AS NameKey,
            trim(Attributes['gen_ai.evaluation.score.value']) AS ScoreText,
            trim(Attributes['gen_ai.evaluation.score.label']) AS LabelText,
            toFloat64OrNull(if(ScoreText = '', LabelText, ScoreText)) AS Number,
            if(isFinite(Number), Number, NULL) AS Score,
            -- A value that is no number is a label, and a label that is a number is a value.
            multiIf(ScoreText = '' AND Score IS NOT NULL, '', LabelText != '', LabelText, Score IS NULL, ScoreText, '') AS Labelled,
            trim(Attributes['gen_ai.evaluation.explanation']) AS Explained,
            if(Attributes['gen_ai.evaluation.annotator_kind'] = '' AND Attributes['gen_ai.evaluation.evaluator.source'] != '',
               'AUTOMATIC', upper(trim(Attributes['gen_ai.evaluation.annotator_kind']))) AS Kind,
            substring(Attributes['gen_ai.evaluation.identifier'], 1, 200) AS Identifier,
            Attributes['gen_ai.evaluation.evaluator.source'] AS Evaluator,
            substring(Attributes['gen_ai.evaluation.evaluator.version'], 1, 200) AS AssessorVersion,
            arrayFirst(v -> v != '', arrayMap(k -> Attributes[k], {user_keys:Array(String)})) AS User,
            -- Redaction makes one of all users; only we say who somebody was (spanloop.processor.feedback.pseudonym).
            multiIf(
                Carrier IN ('api', 'command') AND Attributes['spanloop.user.hash'] != '', substring(Attributes['spanloop.user.hash'], 1, 32),
                User = '', '',
                translate(substring(lower(hex(SHA256(User))), 1, 32), '0123456789', 'ghijklmnop')) AS Person,
            arrayFirst(v -> v != '', arrayMap(k -> Attributes[k], {conversation_keys:Array(String)})) AS ConversationId,
            toFloat64OrNull(Attributes['spanloop.selection.probability']) AS Chance,
            if(Chance > 0 AND Chance <= 1, Chance, NULL) AS Probability,
            substring(Attributes['spanloop.sample.id'], 1, 200) AS SampleId,
            lower(Attributes['spanloop.feedback.retracted']) IN ('true', '1') AS Retracted,
            Attributes['error.type'] != '' AS Failed
        FROM (SELECT *, Attributes['gen_ai.response.id'] AS ResponseId FROM {{ table('feedback_found') }}) AS found
        LEFT ANY JOIN {{ table('feedback_answers') }} AS answer USING (Project, ResponseId)
    )
)
-- An evaluation that failed is no score.
WHERE Name != '' AND (Score IS NOT NULL OR Label != '' OR (Comment != '' AND NOT Failed) OR Retracted)
