-- Share of GenAI spans that failed, by what they are. Rows: time, class, share; by time.
SELECT $__timeInterval(Timestamp) AS time, toString(Class) AS Class, countIf(Status = 'Error') / count() AS Value
FROM genai_spans
WHERE $__timeFilter(Timestamp) AND $__conditionalAll(Project = ${project:singlequote}, $project)
GROUP BY time, Class
ORDER BY time, Class
