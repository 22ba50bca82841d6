-- How far scenarios of {project:String} and {agent:String} are derived, as the last derivation left it (a row, or none).
--
-- Rows: start from which on traffic may become fresh (the cut), highest version that was read, generation of the locked set,
-- trajectories that there were.
SELECT Cursor, Counts['version'], Counts['generation'], Counts['trajectories']
FROM {{ table('analyses') }}
WHERE Stage = 'scenarios' AND AnalysisId = {id:String}
ORDER BY FinishedAt DESC, Counts['generation'] DESC
LIMIT 1
