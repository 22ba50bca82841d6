-- A configuration by its hash, of a release or of a candidate under test: Configuration (JSON); none or one row.
-- Parameters: project, agent, hash String.
SELECT Configuration
FROM (
    SELECT Configuration FROM {{ table('releases') }} FINAL
    WHERE Project = {project:String} AND AgentName = {agent:String} AND ConfigurationHash = {hash:String}
    UNION ALL
    SELECT Configuration FROM {{ table('candidates') }} FINAL
    WHERE Project = {project:String} AND AgentName = {agent:String} AND ConfigurationHash = {hash:String} AND State != 'refused'
)
LIMIT 1
