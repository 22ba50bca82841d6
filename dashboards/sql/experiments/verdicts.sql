-- Experiments, the newest first: what was tried, against what, and the verdict with its evidence.
SELECT
    e.StartedAt AS Began, e.AgentName AS Agent, p.Title AS "Aimed at", c.Intervention AS Change, e.Purpose AS Purpose,
    if(e.Verdict = '', e.State, e.Verdict) AS Verdict, e.Reason AS Reason, e.Effect AS Effect, e.EffectLow AS "At least",
    e.EffectHigh AS "At most", e.EValue AS "Evidence (e-value)", if(e.AlphaSpent > 0, 1 / e.AlphaSpent, NULL) AS "Evidence needed",
    e.ScenariosClosed AS "Scenarios played", length(e.Scenarios) AS "Of planned", e.Tokens AS Tokens, e.CostUsd AS Cost,
    e.ExperimentId AS Experiment
FROM (
    SELECT * FROM experiments FINAL
    WHERE $__timeFilter(StartedAt) AND $__conditionalAll(Project = ${project:singlequote}, $project)
        AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
) AS e
LEFT JOIN (SELECT CandidateId, PatternId, Intervention FROM candidates FINAL) AS c ON c.CandidateId = e.CandidateId
LEFT JOIN (SELECT PatternId, Title FROM failure_patterns FINAL) AS p ON p.PatternId = c.PatternId
ORDER BY Began DESC, Experiment
LIMIT 200
SETTINGS join_use_nulls = 1
