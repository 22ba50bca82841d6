-- Seconds from the end of a span to its receipt. Rows: time, median, 99th percentile; by time.
SELECT
    $__timeInterval(Timestamp) AS time,
    quantile(0.5)(toFloat64(ReceivedTime) - toFloat64(Timestamp) - Duration / 1e9) AS "Half of spans",
    quantile(0.99)(toFloat64(ReceivedTime) - toFloat64(Timestamp) - Duration / 1e9) AS "99 % of spans"
FROM otel_traces
WHERE $__timeFilter(Timestamp) AND $__conditionalAll(Project = ${project:singlequote}, $project)
GROUP BY time
ORDER BY time
