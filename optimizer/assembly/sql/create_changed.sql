-- changed_trajectories: the trajectories that this analysis wrote; the later stages join it. Made anew by each analysis.
CREATE OR REPLACE TABLE {{ table('changed_trajectories') }} (TrajectoryId String) ENGINE = Memory
