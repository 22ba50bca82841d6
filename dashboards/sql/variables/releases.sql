-- Releases that an analysis has seen in production, the newest first. Rows: name.
SELECT Release
FROM trajectories
WHERE Release != '' AND RunId = '' AND $__conditionalAll(Project = ${project:singlequote}, $project)
GROUP BY Release
ORDER BY max(Start) DESC, Release
