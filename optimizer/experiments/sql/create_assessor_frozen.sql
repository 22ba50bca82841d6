-- assessor_frozen: for which assessor the tables of peers beside it were learned. Gone with the engine's memory, as they are.
CREATE TABLE IF NOT EXISTS {{ table('assessor_frozen') }} (Version String) ENGINE = Memory
