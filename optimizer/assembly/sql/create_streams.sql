-- assembly_streams: agents whose calls carry the history; their inputs repeat what was told before.
CREATE OR REPLACE TABLE {{ table('assembly_streams') }} (N UInt32, Stream UInt64) ENGINE = Memory
