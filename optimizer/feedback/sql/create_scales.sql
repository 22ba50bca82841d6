-- feedback_scales: the scale of each series of numbers (project, source, name), now and before; made anew for each extraction.
CREATE TABLE {{ table('feedback_scales') }} (
    Project String,
    Source String,
    Name String,
    Low Nullable(Float64),                                       -- NULL: unknown
    High Nullable(Float64),
    BeforeLow Nullable(Float64),
    BeforeHigh Nullable(Float64),
    Stored UInt64                                                -- numbers that assessments holds already
) ENGINE = Memory
