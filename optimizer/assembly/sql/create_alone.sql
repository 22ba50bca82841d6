-- assembly_alone: agents that tell messages themselves, and do not repeat the history that their calls elsewhere carry.
CREATE OR REPLACE TABLE {{ table('assembly_alone') }} (Ordinal UInt64) ENGINE = Memory
