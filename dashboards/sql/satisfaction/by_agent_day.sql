-- The newest estimate of every day of one agent: of those chosen, the one with most conversations.
-- Rows: time (day, UTC), rate, bounds, rate of raters; by time. The value is the day, a space and the agent.
WITH (
    SELECT argMax(Value, (ComputedAt, Trajectories)) FROM satisfaction_rates
    WHERE Dimension = 'agent' AND $__conditionalAll(Project = ${project:singlequote}, $project)
        AND $__conditionalAll(Value IN (${agent:singlequote}), $agent)
) AS agent
SELECT
    toDateTime(toDateOrZero(substring(Value, 1, 10)), 'UTC') AS time, Rate AS Satisfied, Low, High,
    RateAmongRaters AS "Of those who rated"
FROM satisfaction_rates
WHERE Dimension = 'agent_day' AND substring(Value, 12) = agent AND $__timeFilter(time)
    AND (Project, ComputedAt) IN (
        SELECT Project, max(ComputedAt) FROM satisfaction_rates
        WHERE Dimension = 'agent_day' AND $__conditionalAll(Project = ${project:singlequote}, $project)
        GROUP BY Project
    )
ORDER BY time
