-- symptom_findings: what the statements of one chunk found, one row a place.
CREATE OR REPLACE TABLE {{ table('symptom_findings') }} (
    TrajectoryId String,
    Step UInt32,
    Symptom LowCardinality(String),
    Detail String,
    Weight Float32
) ENGINE = Memory
