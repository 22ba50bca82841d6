-- Failure patterns that one agent shows, those seen in these days first; of them the most harmful: proven lift times members,
-- then those only associated.
--
-- Parameters: agent:String, since, until:DateTime64(3), n:UInt32. Rows: as select_pattern, with the members of this agent in that
-- time (here) by day, and the conversation that tells the pattern best (example): the least satisfied, then the newest.
WITH members AS (
    SELECT
        m.PatternId AS PatternId, m.TrajectoryId AS TrajectoryId, m.DeviatingStep AS DeviatingStep, m.EvidenceSteps AS EvidenceSteps,
        t.Start AS Start, s.Probability AS Probability
    FROM (SELECT * FROM {{ table('pattern_members') }} FINAL) AS m
    INNER JOIN (
        SELECT TrajectoryId, Start FROM {{ table('trajectories') }} FINAL
        WHERE RunId = '' AND AgentName = {agent:String} AND Start >= {since:DateTime64(3)} AND Start <= {until:DateTime64(3)}
    ) AS t ON t.TrajectoryId = m.TrajectoryId
    LEFT JOIN (SELECT TrajectoryId, Probability FROM {{ table('trajectory_satisfaction') }} FINAL) AS s
        ON s.TrajectoryId = m.TrajectoryId
)
SELECT
    p.PatternId AS pattern, p.Title AS title, p.Explanation AS explanation, p.Category AS category, p.MastCodes AS mast,
    p.TrailCodes AS trail, p.State AS state, p.Agents AS agents, p.Members AS members, p.Prevalence AS prevalence, p.Trend AS trend,
    p.Lift AS lift, p.LiftLow AS lift_low, p.LiftHigh AS lift_high, p.LiftBasis AS basis, p.QValue AS q_value,
    p.TypicalStep AS typical_step, p.FirstSeen AS first_seen, p.LastSeen AS last_seen, h.here AS here, h.days AS days,
    h.example.2 AS example, h.example.3 AS example_step, h.example.4 AS example_evidence
FROM (SELECT * FROM {{ table('failure_patterns') }} FINAL WHERE has(Agents, {agent:String})) AS p
LEFT JOIN (
    SELECT
        PatternId, count() AS here, groupArray(toDate(Start, 'UTC')) AS days,
        argMin(
            tuple(Start, TrajectoryId, DeviatingStep, EvidenceSteps),
            tuple(ifNull(Probability, 1.), -toUnixTimestamp64Milli(Start), TrajectoryId)) AS example
    FROM members
    GROUP BY PatternId
) AS h ON h.PatternId = p.PatternId
ORDER BY here = 0, isNull(lift), ifNull(lift, 0) * members DESC, here DESC, members DESC, pattern
LIMIT {n:UInt32}
