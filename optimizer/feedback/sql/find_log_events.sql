-- Log records gen_ai.evaluation.result, the standard form: trace and span id are the target's. `POST /v1/feedback` logs such too.
-- Parameters: event String, fields Array(String), since DateTime64(3) (arrivals from then on), everything Bool (whatever arrived).
INSERT INTO {{ table('feedback_found') }}
SELECT
    Project, TraceId, SpanId,
    CAST(mapFilter((k, v) -> k IN {fields:Array(String)}, LogAttributes), 'Map(String, String)') AS Attributes,
    if(ScopeName = 'spanloop.feedback', 'api', 'log') AS Carrier,
    Timestamp,
    if(ReceivedTime > toDateTime64(0, 9), ReceivedTime, ObservedTimestamp) AS ArrivedAt
FROM {{ table('otel_logs') }}
-- The name is required, so records of other events cost their keys only.
PREWHERE EventName = {event:String} OR has(LogAttributes.keys, 'gen_ai.evaluation.name')
WHERE (EventName = {event:String} OR LogAttributes['event.name'] = {event:String})
    -- What we wrote ourselves is never read back; what users told our API is theirs.
    AND (ScopeName = 'spanloop.feedback' OR NOT match(ScopeName, '^spanloop([.]|$)'))
    AND ({everything:Bool} OR BatchId IN (
        SELECT BatchId FROM {{ table('batch_arrivals') }} WHERE Signal = 'logs' AND ArrivedAt >= {since:DateTime64(3)}))
