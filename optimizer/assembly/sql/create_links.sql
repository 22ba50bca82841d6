-- assembly_links: the trace (or the trajectory of an earlier assembly) whose history a trace continues.
CREATE OR REPLACE TABLE {{ table('assembly_links') }} (TraceId String, Target String) ENGINE = Memory
