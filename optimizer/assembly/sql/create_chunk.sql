-- assembly_chunk: the traces of the trajectories at hand, and the numbers of these.
CREATE OR REPLACE TABLE {{ table('assembly_chunk') }} (TraceId String, N UInt32) ENGINE = Memory
