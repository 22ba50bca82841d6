-- A configuration by its hash, of a release or of a candidate under test: Configuration (JSON); none or one row.
-- Where several have the hash (their versions differ): a release before a candidate, the oldest first.
-- Parameters: project, agent, hash String.
SELECT Configuration
FROM (
    SELECT Configuration, 0 AS IsCandidate, CreatedAt, ReleaseId AS Id FROM {{ table('releases') }} FINAL
    WHERE Project = {project:String} AND AgentName = {agent:String} AND ConfigurationHash = {hash:String}
        AND Configuration != ''
    UNION ALL
    SELECT Configuration, 1 AS IsCandidate, CreatedAt, CandidateId AS Id FROM {{ table('candidates') }} FINAL
    WHERE Project = {project:String} AND AgentName = {agent:String} AND ConfigurationHash = {hash:String}
        AND State IN ('proposed', 'testing', 'shipped') AND Configuration != ''
)
ORDER BY IsCandidate, CreatedAt, Id
LIMIT 1
