-- What came in, in the time shown. One row; NULL where nothing came.
SELECT
    count() AS Spans,
    (SELECT uniq(TraceId) FROM otel_traces_trace_id_ts WHERE $__timeFilter(Start)) AS Traces,
    (
        SELECT count() FROM genai_spans
        WHERE $__timeFilter(Timestamp) AND $__conditionalAll(Project = ${project:singlequote}, $project)
    ) AS "GenAI spans",
    if(count() = 0, NULL, countIf(StatusCode = 'Error') / count()) AS "Share of spans that failed",
    if(count() = 0, NULL, toUnixTimestamp64Milli(max(ReceivedTime))) AS "Last received"
FROM otel_traces
WHERE $__timeFilter(Timestamp) AND $__conditionalAll(Project = ${project:singlequote}, $project)
