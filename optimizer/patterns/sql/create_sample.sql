-- pattern_sample: the trajectories that mining reads; filled by insert_sample. Made anew by each mining.
CREATE OR REPLACE TABLE {{ table('pattern_sample') }} (
    TrajectoryId String, Dissatisfied Nullable(Float64), Sampled UInt8
) ENGINE = Memory
