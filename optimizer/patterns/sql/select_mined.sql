-- What the last mining of {project:String} read: judged trajectories and comparable ones. At most one row.
SELECT Counts[concat('outcomes of ', {project:String})], Counts[concat('trajectories of ', {project:String})]
FROM {{ table('analyses') }}
WHERE Stage = 'patterns' AND mapContains(Counts, concat('outcomes of ', {project:String}))
ORDER BY FinishedAt DESC
LIMIT 1
