-- How many symptoms this analysis ({version:UInt64}) found.
SELECT countIf(IsDeleted = 0) FROM {{ table('trajectory_symptoms') }} WHERE Version = {version:UInt64}
