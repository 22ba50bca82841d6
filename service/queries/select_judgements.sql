-- Read what is thought of a trajectory: its probability of satisfaction with the evidence, and its patterns.
--
-- Parameters: id:String. Rows: one; patterns as (id, title, deviating step).
SELECT
    (SELECT any(Probability) FROM {{ table('trajectory_satisfaction') }} FINAL WHERE TrajectoryId = {id:String}) AS satisfaction,
    (SELECT any(Method) FROM {{ table('trajectory_satisfaction') }} FINAL WHERE TrajectoryId = {id:String}) AS method,
    (SELECT any(Evidence) FROM {{ table('trajectory_satisfaction') }} FINAL WHERE TrajectoryId = {id:String}) AS evidence,
    (SELECT groupArray((p.PatternId, p.Title, m.DeviatingStep))
     FROM (SELECT PatternId, DeviatingStep FROM {{ table('pattern_members') }} FINAL WHERE TrajectoryId = {id:String}) AS m
     INNER JOIN (SELECT PatternId, Title FROM {{ table('failure_patterns') }} FINAL) AS p ON p.PatternId = m.PatternId) AS patterns
