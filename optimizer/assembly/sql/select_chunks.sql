-- First and last number of each chunk: at most {trajectories:UInt64} trajectories, and about {spans:UInt64} spans. In order.
SELECT min(N), max(N)
FROM (
    SELECT N, intDiv(sum(Spans) OVER (ORDER BY N) - Spans, {spans:UInt64}) AS BySpans
    FROM (SELECT N, sum(Spans) AS Spans FROM {{ table('assembly_members') }} GROUP BY N)
)
GROUP BY BySpans, intDiv(N, {trajectories:UInt64})
ORDER BY 1
