-- How tools are used in production, over the first and the last trajectories by id, which one range each of the primary key holds: a
-- random sample where ids are random, the oldest and the newest where they grow with time.
--
-- Parameters: sample:UInt64 (trajectories from either end), until:UInt64 (Unix milliseconds by which they ended), phrases:Array(String), consent:UInt64 (position of that
-- phrase). Rows: Name, calls, share repeated, share right after the user agreed, calls a trajectory; most called first.
SELECT
    Name,
    count() AS calls,
    avg(Repeated) AS repeated,
    avg(AfterConsent) AS after_consent,
    count() / uniqExact(TrajectoryId) AS a_trajectory
FROM (
    SELECT
        TrajectoryId, Kind, Name,
        count() OVER (PARTITION BY TrajectoryId, Kind, Name, Arguments ORDER BY Step ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) > 1 AS Repeated,
        ifNull(last_value(Consent) OVER (PARTITION BY TrajectoryId ORDER BY Step ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) = 1, 0) AS AfterConsent
    FROM (
        SELECT
            TrajectoryId, Step, Kind, Name, Arguments,
            multiIf(
                Kind = 'user', toNullable(has(multiMatchAllIndices(substring(ifNull(Text, ''), 1, 1000), {phrases:Array(String)}), {consent:UInt64})),
                Kind = 'assistant' AND Text != '', 0,
                NULL) AS Consent
        FROM {{ table('trajectory_steps') }} FINAL
        WHERE (TrajectoryId <= (
                SELECT max(TrajectoryId) FROM (SELECT TrajectoryId FROM {{ table('trajectories') }} WHERE RunId = '' AND toUnixTimestamp64Milli(End) <= {until:UInt64} ORDER BY TrajectoryId LIMIT {sample:UInt64}))
            OR TrajectoryId >= (
                SELECT min(TrajectoryId) FROM (SELECT TrajectoryId FROM {{ table('trajectories') }} WHERE RunId = '' AND toUnixTimestamp64Milli(End) <= {until:UInt64} ORDER BY TrajectoryId DESC LIMIT {sample:UInt64})))
            AND TrajectoryId NOT IN (
                SELECT TrajectoryId FROM {{ table('trajectories') }} WHERE RunId != '' OR toUnixTimestamp64Milli(End) > {until:UInt64})
    )
)
WHERE Kind = 'tool' AND Name != ''
GROUP BY Name
ORDER BY calls DESC
LIMIT 2000
