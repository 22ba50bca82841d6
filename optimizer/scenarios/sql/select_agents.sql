-- Agents whose production traffic can become scenarios: closed, at least {completeness:Float64} complete, with a user who said
-- something. Runs of experiments are no traffic.
--
-- Rows: Project, AgentName, trajectories, start of the newest, of the oldest, highest version among them and their pattern
-- memberships (what a later derivation compares with to see that nothing is new); in order of name.
SELECT Project, AgentName, count() AS trajectories, max(Start) AS newest, min(Start) AS oldest,
    greatest(max(t.Version), max(ifNull(m.Version, 0))) AS newest_version
FROM (
    SELECT TrajectoryId, Project, AgentName, Start, Version FROM {{ table('trajectories') }} FINAL
    WHERE State = 'closed' AND Completeness >= {completeness:Float64} AND RunId = '' AND Opening != ''
) AS t
LEFT JOIN (
    SELECT TrajectoryId, max(Version) AS Version FROM {{ table('pattern_members') }} FINAL GROUP BY TrajectoryId
) AS m ON m.TrajectoryId = t.TrajectoryId
GROUP BY Project, AgentName
ORDER BY Project, AgentName
