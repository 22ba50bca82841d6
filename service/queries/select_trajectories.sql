-- List trajectories of production, or runs of experiments, newest first.
--
-- Parameters: agent:String, release:String, state:String, pattern:String ('' = any), least:Float64 and most:Float64 (bounds of
-- the probability of satisfaction; least = -1 includes unknown), since:DateTime, runs:Bool (runs of experiments instead of production),
-- n:UInt32.
SELECT
    t.TrajectoryId AS trajectory, t.Start AS start, t.AgentName AS agent, t.Release AS release, t.RunId AS run, t.State AS state,
    t.Turns AS turns, t.ToolCalls AS tool_calls, t.Errors AS errors, t.Completeness AS completeness,
    s.Probability AS satisfaction, f.Stratum AS intent, t.Opening AS opening
FROM (
    SELECT * FROM {{ table('trajectories') }} FINAL
    WHERE (RunId != '') = {runs:Bool}
      AND ({agent:String} = '' OR AgentName = {agent:String})
      AND ({release:String} = '' OR Release = {release:String})
      AND ({state:String} = '' OR State = {state:String})
      AND Start >= {since:DateTime}
      AND ({pattern:String} = '' OR TrajectoryId IN (
          SELECT TrajectoryId FROM {{ table('pattern_members') }} FINAL WHERE PatternId = {pattern:String}))
) AS t
LEFT JOIN (SELECT TrajectoryId, Probability FROM {{ table('trajectory_satisfaction') }} FINAL) AS s
    ON s.TrajectoryId = t.TrajectoryId
LEFT JOIN (SELECT TrajectoryId, Stratum FROM {{ table('trajectory_features') }} FINAL) AS f
    ON f.TrajectoryId = t.TrajectoryId
WHERE ifNull(s.Probability, -1.) BETWEEN {least:Float64} AND {most:Float64}
ORDER BY t.Start DESC, t.TrajectoryId
LIMIT {n:UInt32}
SETTINGS join_use_nulls = 1
