-- Configurations that are or were served, the newest first, with what was measured before and after.
SELECT
    AgentName AS Agent, Number AS "No.", State, CanaryShare AS "Canary share", Effect AS "Effect in the experiment",
    LiveEffect AS "Effect in production", LiveLow AS "At least", LiveHigh AS "At most", LiveN AS "Judged in production",
    LiveEValueWorse AS "Evidence that it is worse", CreatedAt AS Created, ActivatedAt AS "In force since", ReleaseId AS Release,
    ExperimentId AS Experiment
FROM releases FINAL
WHERE $__conditionalAll(Project = ${project:singlequote}, $project)
    AND $__conditionalAll(AgentName IN (${agent:singlequote}), $agent)
ORDER BY Created DESC, Agent, "No." DESC
LIMIT 200
