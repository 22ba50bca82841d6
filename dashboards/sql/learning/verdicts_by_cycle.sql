-- Experiments at the gate by verdict, cycle by cycle. Rows: time (start of the cycle), verdict, experiments; by time.
SELECT began AS time, verdict AS Verdict, count() AS Value
FROM (
    SELECT min(StartedAt) OVER (PARTITION BY CycleId) AS began, toString(Verdict) AS verdict
    FROM experiments FINAL
    WHERE State = 'decided' AND Purpose = 'gate' AND $__timeFilter(StartedAt)
        AND $__conditionalAll(Project = ${project:singlequote}, $project)
        AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
)
GROUP BY time, Verdict
ORDER BY time, Verdict
