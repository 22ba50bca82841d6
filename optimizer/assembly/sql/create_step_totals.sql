-- assembly_step_totals: the steps of a trajectory together.
CREATE OR REPLACE TABLE {{ table('assembly_step_totals') }} (
    N UInt32,
    Kinds Array(LowCardinality(String)), Names Array(LowCardinality(String)), Statuses Array(LowCardinality(String)),
    FirstUserStep UInt32,                                        -- 0 = none
    WithoutResult UInt32                                         -- tool calls whose answer is not known
) ENGINE = Memory
