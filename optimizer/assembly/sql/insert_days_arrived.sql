-- The days of the arrived traces, and those of what an earlier assembly saw of them.
INSERT INTO {{ table('assembly_days') }}
SELECT DISTINCT toDate(arrayJoin(range(toUInt16(FirstDay), toUInt16(LastDay) + 1)))
FROM (
    SELECT DISTINCT FirstDay, LastDay FROM {{ table('assembly_arrivals') }}
    UNION DISTINCT
    SELECT DISTINCT toDate(Start) AS FirstDay, toDate(End) AS LastDay FROM {{ table('trajectory_traces') }}
    WHERE TraceId IN (SELECT TraceId FROM {{ table('assembly_arrivals') }})
)
