-- expert_trajectories: those whose probability Python computed, peers and words included. Scratch.
CREATE OR REPLACE TABLE {{ table('expert_trajectories') }} (TrajectoryId String) ENGINE = Memory
