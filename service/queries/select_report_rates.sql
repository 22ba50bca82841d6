-- Newest estimates of satisfaction that speak of one agent: its rate, those of its releases, those of its days.
--
-- Parameters: agent:String, dimension:String (agent, release, agent_day). Rows: releases by first use, days by day.
WITH (SELECT max(ComputedAt) FROM {{ table('satisfaction_rates') }} WHERE Dimension = {dimension:String}) AS newest
SELECT
    r.Value AS value, r.Rate AS rate, r.Low AS low, r.High AS high, r.Level AS level, r.Method AS method,
    r.Trajectories AS conversations, r.Labelled AS labelled, r.Raters AS raters, r.RateAmongRaters AS among_raters,
    r.ComputedAt AS computed_at
FROM {{ table('satisfaction_rates') }} AS r
LEFT JOIN (
    SELECT Release, min(Start) AS begun FROM {{ table('trajectories') }} FINAL
    WHERE RunId = '' AND AgentName = {agent:String} AND {dimension:String} = 'release'
    GROUP BY Release
) AS used ON used.Release = r.Value
WHERE r.Dimension = {dimension:String} AND r.ComputedAt = newest
  AND multiIf(
      {dimension:String} = 'agent', r.Value = {agent:String},
      {dimension:String} = 'release', used.Release != '',
      substring(r.Value, 12) = {agent:String})
ORDER BY if({dimension:String} = 'release', used.begun, toDateTime64(0, 9)), r.Value
