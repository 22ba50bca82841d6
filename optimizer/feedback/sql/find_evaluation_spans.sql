-- Results on a span: gen_ai.evaluation.*, and OpenInference's evaluations.N.evaluation.* and annotations.N.annotation.*.
-- With exactly one link they tell of the linked span (OpenInference spec/annotations.md), with more of none that can be told;
-- without one of their own span, and on a span made to evaluate, of its parent.
-- Parameters: result_keys, fields, openinference_fields, openinference_names Array(String), since DateTime64(3), everything Bool.
INSERT INTO {{ table('feedback_found') }}
SELECT
    Project,
    multiIf(Links = 0, TraceId, Links = 1, LinkTraceId, '') AS TraceId,
    multiIf(Links = 0, if(Evaluates AND ParentSpanId != '', ParentSpanId, SpanId), Links = 1, LinkSpanId, '') AS SpanId,
    arrayJoin(arrayConcat(
        [Plain],
        arrayMap(prefix -> mapUpdate(Plain, mapFromArrays(
            {openinference_names:Array(String)},
            arrayMap(field -> SpanAttributes[concat(prefix, field)], {openinference_fields:Array(String)})
        )), Prefixes)
    )) AS Attributes,
    if(Links = 0, 'attributes', 'span_link') AS Carrier,
    EndedAt AS Timestamp,
    ReceivedTime AS ArrivedAt
FROM (
    SELECT
        Project, TraceId, SpanId, ParentSpanId, SpanAttributes, ReceivedTime,
        length(`Links.TraceId`) AS Links, `Links.TraceId`[1] AS LinkTraceId, `Links.SpanId`[1] AS LinkSpanId,
        lower(SpanAttributes['openinference.span.kind']) = 'evaluator'
            OR SpanAttributes['gen_ai.operation.name'] IN ('evaluate', 'evaluation') AS Evaluates,
        CAST(mapFilter((k, v) -> k IN {fields:Array(String)}, SpanAttributes), 'Map(String, String)') AS Plain,
        -- A span that carries thousands of results is a payload bomb.
        arraySlice(arrayDistinct(arrayFilter(p -> p != '', arrayMap(
            k -> extract(k, '^(evaluations[.][0-9]+[.]evaluation[.]|annotations[.][0-9]+[.]annotation[.])'), mapKeys(SpanAttributes)
        ))), 1, 100) AS Prefixes,
        Timestamp + toIntervalNanosecond(least(Duration, 604800000000000)) AS EndedAt
    FROM {{ table('otel_traces') }}
    PREWHERE arrayExists(k -> k IN {result_keys:Array(String)}, SpanAttributes.keys)
    WHERE hasAny(mapKeys(SpanAttributes), {result_keys:Array(String)})  -- for the index
        AND NOT match(ScopeName, '^spanloop([.]|$)')
        AND ({everything:Bool} OR BatchId IN (
            SELECT BatchId FROM {{ table('batch_arrivals') }} WHERE Signal = 'traces' AND ArrivedAt >= {since:DateTime64(3)}))
)
