-- Experiments, the newest first. Rows: id, what it was.
SELECT ExperimentId, concat(formatDateTime(StartedAt, '%Y-%m-%d %H:%i'), ' ', AgentName, ' ', Purpose, ' ', Verdict, ' ', substring(ExperimentId, 1, 8))
FROM experiments FINAL
WHERE $__conditionalAll(Project = ${project:singlequote}, $project)
ORDER BY StartedAt DESC, ExperimentId
