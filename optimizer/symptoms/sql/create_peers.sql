-- symptom_peers: a bounded sample of trajectories of production, the same in every analysis of the same data: who calls are compared with.
--
-- {a_scope:UInt32}: at most so many of each project and agent, of those that ended by {until:UInt64} (Unix milliseconds).
CREATE OR REPLACE TABLE {{ table('symptom_peers') }} ENGINE = MergeTree ORDER BY TrajectoryId AS
SELECT TrajectoryId, cityHash64(Project, AgentName) AS Scope
FROM {{ table('trajectories') }} FINAL
WHERE RunId = '' AND ToolCalls > 0 AND toUnixTimestamp64Milli(End) <= {until:UInt64}
ORDER BY cityHash64(TrajectoryId)
LIMIT {a_scope:UInt32} BY Scope
