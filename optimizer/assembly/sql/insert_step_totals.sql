-- The steps of each trajectory in order.
INSERT INTO {{ table('assembly_step_totals') }}
SELECT N, Sorted.2, Sorted.3, Sorted.4, FirstUserStep, WithoutResult
FROM (
    SELECT N,
        arraySort(groupArray((Step, Kind, Name, Status))) AS Sorted,
        minIf(Step, Kind = 'user') AS FirstUserStep,
        countIf(Kind IN ('tool', 'handoff')
            AND NOT HasResult) AS WithoutResult
    FROM {{ table('assembly_steps') }}
    GROUP BY N
)
