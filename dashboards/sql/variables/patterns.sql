-- Failure patterns, the most harmful first. Rows: id, title.
SELECT PatternId, Title
FROM failure_patterns FINAL
WHERE $__conditionalAll(Project = ${project:singlequote}, $project)
ORDER BY isNull(Lift), ifNull(Lift, 0) * Members DESC, Members DESC, PatternId
