-- What conversations lack, by agent; the commonest first. Runs of experiments are left out.
SELECT
    AgentName AS Agent, issue AS Lacking, count() AS Conversations, any(total) AS "Of all",
    Conversations / "Of all" AS Share
FROM (
    SELECT
        AgentName, arrayJoin(if(empty(Issues), ['nothing'], Issues)) AS issue, total
    FROM (
        SELECT AgentName, Issues, count() OVER (PARTITION BY AgentName) AS total
        FROM trajectories FINAL
        WHERE $__timeFilter(Start) AND RunId = '' AND $__conditionalAll(Project = ${project:singlequote}, $project)
    )
)
GROUP BY Agent, Lacking
ORDER BY Conversations DESC, Agent, Lacking
