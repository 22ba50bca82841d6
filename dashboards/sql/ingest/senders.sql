-- Who sends what, and what was lost before it came here; most trouble first.
SELECT
    ServiceName AS Service, ScopeName AS Library, max(ScopeVersion) AS Version, count() AS Spans,
    countIf(StatusCode = 'Error') AS Failed,
    sum(DroppedAttributesCount) + sum(DroppedEventsCount) + sum(DroppedLinksCount) AS "Dropped by the SDK",
    countIf(has(mapKeys(SpanAttributes), 'spanloop.original_start_time_unix_nano')) AS "Times corrected",
    max(ReceivedTime) AS "Last received"
FROM otel_traces
WHERE $__timeFilter(Timestamp) AND $__conditionalAll(Project = ${project:singlequote}, $project)
GROUP BY Service, Library
ORDER BY "Dropped by the SDK" + "Times corrected" DESC, Spans DESC
LIMIT 100
