-- pattern_todo: the trajectories whose memberships this analysis looks at, numbered in their order from 0.
CREATE OR REPLACE TABLE {{ table('pattern_todo') }} (TrajectoryId String, N UInt64) ENGINE = Memory
