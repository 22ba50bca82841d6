-- Span events gen_ai.evaluation.result: they tell of their span, or, on an evaluator with exactly one link, of the linked one.
-- Parameters: event String, fields, conversation_keys, user_keys Array(String), since DateTime64(3), everything Bool.
INSERT INTO {{ table('feedback_found') }}
SELECT
    Project,
    if(linked, LinkTraceIds[1], TraceId) AS TraceId,
    if(linked, LinkSpanIds[1], SpanId) AS SpanId,
    mapUpdate(Whose, CAST(mapFilter((k, v) -> k IN {fields:Array(String)}, EventAttributes), 'Map(String, String)')) AS Attributes,
    'span_event' AS Carrier,
    EventTime AS Timestamp,
    ReceivedTime AS ArrivedAt
FROM (
    SELECT
        Project, TraceId, SpanId, ReceivedTime,
        `Links.TraceId` AS LinkTraceIds, `Links.SpanId` AS LinkSpanIds,
        length(LinkTraceIds) = 1 AND lower(SpanAttributes['openinference.span.kind']) = 'evaluator' AS linked,
        CAST(mapFilter(
            (k, v) -> k IN {conversation_keys:Array(String)} OR k IN {user_keys:Array(String)}, SpanAttributes
        ), 'Map(String, String)') AS Whose,
        `Events.Name` AS Names, `Events.Attributes` AS Told, `Events.Timestamp` AS Times
    FROM {{ table('otel_traces') }}
    PREWHERE has(`Events.Name`, {event:String})
    WHERE NOT match(ScopeName, '^spanloop([.]|$)')
        AND ({everything:Bool} OR BatchId IN (
            SELECT BatchId FROM {{ table('batch_arrivals') }} WHERE Signal = 'traces' AND ArrivedAt >= {since:DateTime64(3)}))
)
ARRAY JOIN Names AS EventName, Told AS EventAttributes, Times AS EventTime
WHERE EventName = {event:String}
