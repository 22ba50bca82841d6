-- Spans a second by service. Rows: time, service, spans a second; by time.
SELECT
    $__timeInterval(Timestamp) AS time, if(ServiceName = '', '(no service.name)', ServiceName) AS Service,
    count() / $__interval_s AS Value
FROM otel_traces
WHERE $__timeFilter(Timestamp) AND $__conditionalAll(Project = ${project:singlequote}, $project)
GROUP BY time, Service
ORDER BY time, Service
