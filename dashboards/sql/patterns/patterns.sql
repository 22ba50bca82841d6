-- Failure patterns, the most harmful first: proven harm times conversations, then those only seen often.
SELECT
    Title AS Pattern, State, Category, arrayStringConcat(Agents, ', ') AS "Seen with", Members AS Conversations, Prevalence AS "Share of all",
    Trend AS "Change of share", Lift AS "Harm", LiftLow AS "At least", LiftHigh AS "At most", LiftBasis AS "Rests on",
    FirstSeen AS "First seen", LastSeen AS "Last seen", PatternId AS Id
FROM failure_patterns FINAL
WHERE $__conditionalAll(Project = ${project:singlequote}, $project)
    AND $__conditionalAll(hasAny(Agents, [${agent:singlequote}]), $agent)
ORDER BY isNull(Lift), ifNull(Lift, 0) * Members DESC, Members DESC, PatternId
LIMIT 200
