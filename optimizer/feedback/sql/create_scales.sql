-- feedback_scales: the scale of each series of numbers (project, source, name); made anew for each extraction.
CREATE TABLE {{ table('feedback_scales') }} (
    Project String,
    Source String,
    Name String,
    Low Nullable(Float64),                                       -- NULL: unknown
    High Nullable(Float64)
) ENGINE = Memory
