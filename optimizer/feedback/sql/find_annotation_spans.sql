-- Logfire's annotations: a child span in the trace of its target, logfire.feedback.name naming the attribute that holds the value
-- (logfire/experimental/annotations.py).
-- Parameters: fields Array(String), since DateTime64(3), everything Bool.
INSERT INTO {{ table('feedback_found') }}
SELECT
    Project, TraceId,
    ParentSpanId AS SpanId,
    mapUpdate(
        CAST(mapFilter((k, v) -> k IN {fields:Array(String)}, SpanAttributes), 'Map(String, String)'),
        map(
            'gen_ai.evaluation.name', SpanAttributes['logfire.feedback.name'],
            'gen_ai.evaluation.score.value', SpanAttributes[SpanAttributes['logfire.feedback.name']],
            'gen_ai.evaluation.explanation', SpanAttributes['logfire.feedback.comment'])
    ) AS Attributes,
    'child_span' AS Carrier,
    Timestamp + toIntervalNanosecond(least(Duration, 604800000000000)) AS Timestamp,
    ReceivedTime AS ArrivedAt
FROM {{ table('otel_traces') }}
PREWHERE has(SpanAttributes.keys, 'logfire.feedback.name')
WHERE has(mapKeys(SpanAttributes), 'logfire.feedback.name')  -- for the index
    AND SpanAttributes['logfire.span_type'] = 'annotation'
    AND NOT match(ScopeName, '^spanloop([.]|$)')
    AND ({everything:Bool} OR BatchId IN (
        SELECT BatchId FROM {{ table('batch_arrivals') }} WHERE Signal = 'traces' AND ArrivedAt >= {since:DateTime64(3)}))
