-- Who sends what, and what was lost before it came here; most trouble first. Corrected times are found by their index.
SELECT
    s.ServiceName AS Service, s.ScopeName AS Library, s.version AS Version, s.spans AS Spans, s.failed AS Failed,
    s.dropped AS "Dropped by the SDK", c.corrected AS "Times corrected", s.received AS "Last received"
FROM (
    SELECT
        ServiceName, ScopeName, max(ScopeVersion) AS version, count() AS spans, countIf(StatusCode = 'Error') AS failed,
        sum(DroppedAttributesCount) + sum(DroppedEventsCount) + sum(DroppedLinksCount) AS dropped, max(ReceivedTime) AS received
    FROM otel_traces
    WHERE $__timeFilter(Timestamp) AND $__conditionalAll(Project = ${project:singlequote}, $project)
    GROUP BY ServiceName, ScopeName
) AS s
LEFT JOIN (
    SELECT ServiceName, ScopeName, count() AS corrected
    FROM otel_traces
    WHERE $__timeFilter(Timestamp) AND has(mapKeys(SpanAttributes), 'spanloop.original_start_time_unix_nano')
        AND $__conditionalAll(Project = ${project:singlequote}, $project)
    GROUP BY ServiceName, ScopeName
) AS c ON c.ServiceName = s.ServiceName AND c.ScopeName = s.ScopeName
ORDER BY "Dropped by the SDK" + "Times corrected" DESC, Spans DESC
LIMIT 100
