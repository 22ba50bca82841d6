-- Edits that were refused by a scan, or tested and not shipped, for one agent and one configuration.
--
-- Parameters: agent:String, baseline:String, since:DateTime64(3) (decisions before it do not count).
-- Rows: CandidateId, State, Edits; the newest last.
SELECT CandidateId, State, Edits
FROM {{ table('candidates') }} FINAL
WHERE AgentName = {agent:String} AND BaselineHash = {baseline:String} AND State IN ('refused', 'screened', 'rejected', 'inconclusive', 'unsupported')
  AND Version >= toUnixTimestamp64Milli({since:DateTime64(3)})
ORDER BY CreatedAt, CandidateId
