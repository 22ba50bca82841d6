-- Members of version {version:UInt64} that no step shows, at most {members:UInt64}, newest first.
SELECT PatternId, TrajectoryId
FROM {{ table('pattern_members') }} FINAL
WHERE Version = {version:UInt64} AND empty(EvidenceSteps)
ORDER BY Timestamp DESC, PatternId, TrajectoryId
LIMIT {members:UInt64}
