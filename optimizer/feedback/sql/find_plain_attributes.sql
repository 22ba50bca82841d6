-- Feedback as plain attributes of any span. It tells of the whole trace: baggage may have set it on every span.
-- Parameters: plain_keys, plain_names, plain_fields Array(String) (each key tells the field of a name), conversation_keys,
-- user_keys Array(String), since DateTime64(3), everything Bool.
INSERT INTO {{ table('feedback_found') }}
SELECT
    Project, TraceId,
    '' AS SpanId,
    mapUpdate(Whose, mapFromArrays(
        arrayPushFront(Fields, 'gen_ai.evaluation.name'),
        arrayPushFront(arrayMap(field -> Told[arrayFirstIndex((n, f) -> n = FeedbackName AND f = field, Names, AllFields)], Fields), FeedbackName)
    )) AS Attributes,
    'attributes' AS Carrier,
    EndedAt AS Timestamp,
    ReceivedTime AS ArrivedAt
FROM (
    SELECT
        *,
        arrayJoin(arrayDistinct(Names)) AS FeedbackName,
        arrayDistinct(arrayFilter((f, n) -> n = FeedbackName, AllFields, Names)) AS Fields
    FROM (
        SELECT
            Project, TraceId, ReceivedTime,
            arrayFilter(k -> k IN {plain_keys:Array(String)} AND SpanAttributes[k] != '', CAST(mapKeys(SpanAttributes), 'Array(String)')) AS Keys,
            arrayMap(k -> transform(k, {plain_keys:Array(String)}, {plain_names:Array(String)}, ''), Keys) AS Names,
            arrayMap(k -> transform(k, {plain_keys:Array(String)}, {plain_fields:Array(String)}, ''), Keys) AS AllFields,
            arrayMap(k -> SpanAttributes[k], Keys) AS Told,
            CAST(mapFilter(
                (k, v) -> k IN {conversation_keys:Array(String)} OR k IN {user_keys:Array(String)}, SpanAttributes
            ), 'Map(String, String)') AS Whose,
            Timestamp + toIntervalNanosecond(least(Duration, 604800000000000)) AS EndedAt
        FROM {{ table('otel_traces') }}
        PREWHERE arrayExists(k -> k IN {plain_keys:Array(String)}, SpanAttributes.keys)
        WHERE hasAny(mapKeys(SpanAttributes), {plain_keys:Array(String)})  -- for the index
            AND NOT match(ScopeName, '^spanloop([.]|$)')
            AND ({everything:Bool} OR BatchId IN (
                SELECT BatchId FROM {{ table('batch_arrivals') }} WHERE Signal = 'traces' AND ArrivedAt >= {since:DateTime64(3)}))
    )
)
