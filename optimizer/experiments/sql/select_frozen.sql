-- Experiments of the candidate {candidate:String} of the agent {agent:String} for {purpose:String}: ExperimentId, State, Scenarios. Newest first.
SELECT ExperimentId, State, Scenarios
FROM {{ table('experiments') }} FINAL
WHERE AgentName = {agent:String} AND CandidateId = {candidate:String} AND Purpose = {purpose:String}
ORDER BY StartedAt DESC, ExperimentId
