-- What audit samples were drawn from, and how far each is labelled: Filters (JSON), Stratum, drawn_at (seconds), Population, labelled.
-- One row per sample and stratum, by both. No parameters.
SELECT
    any(drawn.Filters) AS filters, drawn.Stratum AS stratum, any(toUnixTimestamp64Milli(drawn.DrawnAt)) / 1000 AS drawn_at,
    any(drawn.Population) AS population, countIf(told.TrajectoryId != '') AS labelled
FROM {{ table('label_samples') }} AS drawn
LEFT JOIN (
    SELECT DISTINCT SampleId, TrajectoryId FROM {{ table('trajectory_labels') }} WHERE Selection = 'sampled' AND SampleId != ''
) AS told ON told.SampleId = drawn.SampleId AND told.TrajectoryId = drawn.TrajectoryId
GROUP BY drawn.SampleId, drawn.Stratum
HAVING labelled > 0
ORDER BY drawn.SampleId, drawn.Stratum
