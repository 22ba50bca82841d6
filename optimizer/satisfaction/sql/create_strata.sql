-- trajectory_strata: the stratum of each trajectory of the chunk at hand. Scratch.
CREATE OR REPLACE TABLE {{ table('trajectory_strata') }} (TrajectoryId String, Stratum String) ENGINE = Memory
