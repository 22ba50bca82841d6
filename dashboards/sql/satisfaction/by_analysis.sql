-- What each analysis estimated over all agents and times. Rows: time of the analysis, rate, bounds; by time.
SELECT ComputedAt AS time, Rate AS Satisfied, Low, High
FROM satisfaction_rates
WHERE Dimension = 'all' AND $__timeFilter(ComputedAt) AND $__conditionalAll(Project = ${project:singlequote}, $project)
ORDER BY time
