-- Edits that were made, the newest first: aimed at what, by which engine, and what became of them.
SELECT
    c.CreatedAt AS Made, c.AgentName AS Agent, p.Title AS "Aimed at", c.Intervention AS Change, c.Engine AS "Made by", c.State AS State,
    arrayStringConcat(c.Reasons, ', ') AS Reasons, substring(c.Rationale, 1, 200) AS Rationale, c.Tokens AS Tokens, c.CostUsd AS Cost
FROM (
    SELECT * FROM candidates FINAL
    WHERE State != 'empty' AND $__timeFilter(CreatedAt) AND $__conditionalAll(Project = ${project:singlequote}, $project)
        AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
) AS c
LEFT JOIN (SELECT PatternId, Title FROM failure_patterns FINAL) AS p ON p.PatternId = c.PatternId
ORDER BY Made DESC, c.CandidateId
LIMIT 200
SETTINGS join_use_nulls = 1
