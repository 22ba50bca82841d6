-- What fails for the agent {agent:String} of {project:String} and is not solved: PatternId, Category, share of its comparable
-- trajectories (completeness >= {completeness:Float32}) that show it. The most frequent first.
WITH mine AS (
    SELECT TrajectoryId FROM {{ table('trajectories') }} FINAL
    WHERE State = 'closed' AND Completeness >= {completeness:Float32} AND RunId = ''
        AND AgentName = {agent:String} AND Project = {project:String}
)
SELECT
    pattern.PatternId AS id, any(pattern.Category) AS category,
    count() / (SELECT greatest(count(), 1) FROM mine) AS prevalence
FROM (
    SELECT PatternId, Category FROM {{ table('failure_patterns') }} FINAL WHERE State IN ('new', 'open', 'regressed')
) AS pattern
INNER JOIN (
    SELECT PatternId, TrajectoryId FROM {{ table('pattern_members') }} FINAL WHERE TrajectoryId IN (SELECT TrajectoryId FROM mine)
) AS member ON member.PatternId = pattern.PatternId
GROUP BY id
ORDER BY prevalence DESC, id
