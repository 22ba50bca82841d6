-- Closed production trajectories of an agent that carry none of its releases: one row: how many.
-- Parameters: project, agent String; releases Array(String); since Int64 (ms).
SELECT count() AS n
FROM {{ table('trajectories') }} FINAL
WHERE Project = {project:String} AND AgentName = {agent:String} AND RunId = '' AND State = 'closed'
    AND Release NOT IN {releases:Array(String)} AND toUnixTimestamp64Milli(Start) >= {since:Int64}
