-- What of {runs:Array(String)} has arrived: RunId, whether it is whole (no span lacks its parent, so nothing is on its way). In order.
WITH seen AS (
    SELECT RunId, TraceId, SpanId, ParentSpanId, Timestamp FROM {{ table('genai_spans') }} WHERE RunId IN {runs:Array(String)}
),
orphans AS (
    SELECT RunId, TraceId, ParentSpanId FROM seen
    WHERE ParentSpanId != '' AND (TraceId, ParentSpanId) NOT IN (SELECT TraceId, SpanId FROM seen)
)
SELECT RunId, RunId NOT IN (
    SELECT RunId FROM orphans
    WHERE (TraceId, ParentSpanId) NOT IN (
        SELECT TraceId, SpanId FROM {{ table('otel_traces') }}
        WHERE TraceId IN (SELECT TraceId FROM orphans) AND toDate(Timestamp) IN (SELECT toDate(Timestamp) FROM seen))) AS Whole
FROM seen
GROUP BY RunId
ORDER BY RunId
