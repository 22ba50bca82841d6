-- assembly_idle: open trajectories to be closed.
CREATE OR REPLACE TABLE {{ table('assembly_idle') }} (TrajectoryId String) ENGINE = Memory
