-- The learning curve: tokens of experiments for each win, cycle by cycle and so far; NULL before the first win.
-- Rows: time (start of the cycle), tokens spent so far, tokens a win so far, tokens a win in the cycle; by time.
SELECT
    began AS time, sum(tokens) OVER upto AS "Spent so far",
    if(sum(wins) OVER upto > 0, sum(tokens) OVER upto / sum(wins) OVER upto, NULL) AS "A win, so far",
    if(wins > 0, tokens / wins, NULL) AS "A win, in the cycle"
FROM (
    SELECT CycleId, min(StartedAt) AS began, sum(Tokens) AS tokens, countIf(Purpose = 'gate' AND Verdict = 'ship') AS wins
    FROM experiments FINAL
    WHERE State = 'decided' AND $__timeFilter(StartedAt) AND $__conditionalAll(Project = ${project:singlequote}, $project)
        AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
    GROUP BY CycleId
)
WINDOW upto AS (ORDER BY began ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
ORDER BY time
