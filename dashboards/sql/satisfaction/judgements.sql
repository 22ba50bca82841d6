-- Judgements that came in, by who judged; of production only. Rows: time, source, judgements; by time.
SELECT $__timeInterval(Timestamp) AS time, toString(Source) AS Source, count() AS Value
FROM assessments FINAL
WHERE $__timeFilter(Timestamp) AND $__conditionalAll(Project = ${project:singlequote}, $project)
    AND (TraceId = '' OR TraceId NOT IN (SELECT TraceId FROM trajectory_traces FINAL WHERE Basis = 'run'))
    AND (ConversationId = '' OR ConversationId NOT IN (SELECT RunId FROM experiment_runs FINAL))
GROUP BY time, Source
ORDER BY time, Source
