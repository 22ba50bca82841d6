-- Looks at scenarios of the agent {agent:String} of the project {project:String}: LookId, Generation, ExperimentId, Sequence,
-- AlphaAllotted, Closed, EValue, Decision. In order of tests, then of looks.
SELECT LookId, Generation, ExperimentId, Sequence, AlphaAllotted, Closed, EValue, Decision
FROM {{ table('holdout_ledger') }}
WHERE Project = {project:String} AND AgentName = {agent:String}
ORDER BY Sequence, LookedAt, Closed
LIMIT 1 BY LookId
