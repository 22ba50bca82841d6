-- Read the newest estimates of the satisfaction rate along one dimension.
--
-- Parameters: dimension:String. Rows: by value.
SELECT
    Value AS value, Rate AS rate, Low AS low, High AS high, Level AS level, Method AS method, Trajectories AS trajectories,
    Labelled AS labelled, Raters AS raters, Clusters AS clusters, RateAmongRaters AS rate_among_raters,
    PassK AS pass_k, ComputedAt AS computed_at
FROM {{ table('satisfaction_rates') }}
WHERE Dimension = {dimension:String}
  AND ComputedAt = (SELECT max(ComputedAt) FROM {{ table('satisfaction_rates') }} WHERE Dimension = {dimension:String})
ORDER BY if(Dimension IN ('day', 'agent_day'), Value, ''), Trajectories DESC, Value
