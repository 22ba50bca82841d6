-- Edits that were refused by a scan or rejected by the gate, for one agent and one configuration.
--
-- Parameters: agent:String, baseline:String, since:DateTime64(3) (decisions before it do not count).
-- Rows: CandidateId, State, Edits; the newest first.
SELECT CandidateId, State, Edits
FROM {{ table('candidates') }} FINAL
WHERE AgentName = {agent:String} AND BaselineHash = {baseline:String} AND State IN ('refused', 'rejected')
  AND Version >= toUnixTimestamp64Milli({since:DateTime64(3)})
ORDER BY CreatedAt DESC, CandidateId
