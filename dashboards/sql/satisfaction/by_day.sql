-- The newest estimate of every day. Rows: time (day, UTC), rate, bounds, rate of raters; by time.
SELECT
    toDateTime(toDateOrZero(Value), 'UTC') AS time, Rate AS Satisfied, Low, High, RateAmongRaters AS "Of those who rated"
FROM satisfaction_rates
WHERE Dimension = 'day' AND $__timeFilter(time)
    AND (Project, ComputedAt) IN (
        SELECT Project, max(ComputedAt) FROM satisfaction_rates
        WHERE Dimension = 'day' AND $__conditionalAll(Project = ${project:singlequote}, $project)
        GROUP BY Project
    )
ORDER BY time
