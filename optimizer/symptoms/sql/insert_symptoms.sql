-- The findings of a chunk as symptoms: one row a symptom and detail, at the first of the steps that show it most surely.
--
-- {version:UInt64}: milliseconds since 1970 of this analysis.
INSERT INTO {{ table('trajectory_symptoms') }}
SELECT
    TrajectoryId, Symptom, detail,
    argMin(Step, (-Weight, Step)), uniqExact(Step), max(Weight),
    argMin(TraceId, (-Weight, Step)), argMin(SpanId, (-Weight, Step)),
    {version:UInt64}, 0
FROM (
    SELECT f.TrajectoryId, f.Step, f.Symptom, substringUTF8(f.Detail, 1, 200) AS detail, f.Weight, s.TraceId, s.SpanId
    FROM {{ table('symptom_findings') }} AS f
    INNER JOIN {{ table('symptom_steps') }} AS s ON cityHash64(s.TrajectoryId, s.Step) = cityHash64(f.TrajectoryId, f.Step)
)
GROUP BY TrajectoryId, Symptom, detail
