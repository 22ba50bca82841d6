-- Analyses that came to their end, the newest first, with what their stages did and cost.
SELECT
    maxIf(StartedAt, Stage = '') AS Started, maxIf(dateDiff('millisecond', StartedAt, FinishedAt), Stage = '') / 1000 AS Took,
    sumIf(CpuSeconds, Stage LIKE 'report/%') AS "CPU time", sumIf(Counts['trajectories'], Stage = 'report/assembly') AS "Conversations read",
    sumIf(Counts['symptoms'], Stage = 'report/symptoms') AS "Symptoms found", sumIf(Counts['found'], Stage = 'report/feedback') AS "Judgements found",
    sumIf(Counts['patterns'], Stage = 'report/patterns') AS Patterns, sumIf(Tokens, Stage LIKE 'report/%') AS "Tokens of the judge",
    arrayStringConcat(groupArrayArray(analyses.Notes), '; ') AS Notes
FROM analyses
WHERE AnalysisId IN (SELECT AnalysisId FROM analyses WHERE Stage = '' AND $__timeFilter(FinishedAt) ORDER BY FinishedAt DESC LIMIT 50)
GROUP BY AnalysisId
ORDER BY Started DESC
