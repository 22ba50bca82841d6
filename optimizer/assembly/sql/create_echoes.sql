-- assembly_echoes: results of tool spans that no call asked for; agents that run what a model wrote tell them again as a
-- message of the user.
CREATE OR REPLACE TABLE {{ table('assembly_echoes') }} (N UInt32, Key UInt64) ENGINE = Memory
