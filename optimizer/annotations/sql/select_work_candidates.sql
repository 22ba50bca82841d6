-- Candidates of a cycle, each with the oldest trace of the scenarios whose evidence it saw.
--
-- Parameters: cycle String. Rows: CandidateId, CycleId, Project, AgentName, PatternId, Category, Intervention, Engine, State, Reasons, Tokens, CostUsd,
-- creation in Unix milliseconds, traces. By creation, id.
SELECT
    CandidateId, CycleId, Project, AgentName, PatternId, Category, Intervention, Engine, State, Reasons, Tokens, CostUsd,
    toUnixTimestamp64Milli(CreatedAt) AS CreatedMs,
    (SELECT groupArray((ScenarioId, TraceIds[-1])) FROM {{ table('scenarios') }} FINAL WHERE notEmpty(TraceIds)
        AND ScenarioId IN (SELECT arrayJoin(Scenarios) FROM {{ table('candidates') }} FINAL WHERE CycleId = {cycle:String})) AS known,
    arrayMap(x -> x.2, arrayFilter(x -> has(Scenarios, x.1), known)) AS Traces
FROM {{ table('candidates') }} FINAL
WHERE CycleId = {cycle:String}
ORDER BY CreatedMs, CandidateId
