-- Stages of the newest cycles, of one agent and of all: what each did, spent and left out.
--
-- Parameters: agent:String, until:DateTime64(3), n:UInt32 (cycles). Rows: newest cycle first, its stages by start ('' = the whole cycle, whose
-- notes repeat those of its stages, of other agents too, and are left out).
SELECT
    CycleId AS cycle, Stage AS stage, AgentName AS agent, State AS state, Counts AS counts, if(Stage = '', [], Notes) AS notes, Tokens AS tokens,
    CostUsd AS cost_usd, StartedAt AS started, FinishedAt AS finished, min(StartedAt) OVER (PARTITION BY CycleId) AS begun
FROM {{ table('cycles') }} FINAL
WHERE AgentName IN ('', {agent:String}) AND CycleId IN (
    SELECT CycleId FROM {{ table('cycles') }} FINAL WHERE StartedAt <= {until:DateTime64(3)}
    GROUP BY CycleId ORDER BY min(StartedAt) DESC, CycleId LIMIT {n:UInt32})
ORDER BY begun DESC, cycle, started, stage, agent
