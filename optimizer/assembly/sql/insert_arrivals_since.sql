-- Traces that had arrivals since {since:DateTime64(3)}. Of runs of experiments only what arrived after the run was told: whoever
-- judged it told it, and it need not be told again.
INSERT INTO {{ table('assembly_arrivals') }}
SELECT arrived.TraceId, arrived.FirstDay, arrived.LastDay
FROM (
    SELECT TraceId, toDate(min(Start)) AS FirstDay, toDate(max(End)) AS LastDay, max(ArrivedAt) AS LastArrival
    FROM {{ table('trace_arrivals') }}
    WHERE ArrivedAt >= {since:DateTime64(3)}
    GROUP BY TraceId
) AS arrived
LEFT JOIN (
    SELECT TraceId, max(Version) AS Version FROM {{ table('trajectory_traces') }}
    WHERE Basis = 'run' AND TraceId IN (SELECT TraceId FROM {{ table('trace_arrivals') }} WHERE ArrivedAt >= {since:DateTime64(3)})
    GROUP BY TraceId
) AS told ON told.TraceId = arrived.TraceId
WHERE toUnixTimestamp64Milli(arrived.LastArrival) >= told.Version
