-- The library: what fixes what, with every measured outcome counted; the most tried first.
SELECT
    s.Title AS Strategy, s.State AS State, s.Category AS Category, s.Intervention AS Change, t.trials AS Trials, t.wins AS Wins,
    t.harms AS "Did harm", t.transferred AS "On other agents", t.effect AS "Mean effect", s.Source AS Source,
    s.OriginAgent AS "Learned on", s.AppliesWhen AS "Applies when", s.Principle AS Principle
FROM (SELECT * FROM strategies FINAL WHERE $__conditionalAll(Project = ${project:singlequote}, $project)) AS s
LEFT JOIN (
    SELECT
        StrategyId, count() AS trials, countIf(Verdict = 'ship') AS wins, countIf(Harm = 1) AS harms,
        countIf(Transferred = 1) AS transferred, avg(Effect) AS effect
    FROM strategy_trials FINAL
    WHERE StrategyId != ''
    GROUP BY StrategyId
) AS t ON t.StrategyId = s.StrategyId
ORDER BY ifNull(t.trials, 0) DESC, s.Title
SETTINGS join_use_nulls = 1
