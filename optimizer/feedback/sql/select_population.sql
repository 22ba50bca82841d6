-- What an audit sample can be drawn from: comparable trajectories of production, one row per stratum: stratum, trajectories; by stratum.
-- Parameters: completeness Float64 (at least), agent, release String ('' = any), since DateTime64(9), stratified Bool (by agent).
SELECT if({stratified:Bool}, AgentName, '') AS stratum, count() AS trajectories
FROM {{ table('trajectories') }} FINAL
WHERE RunId = '' AND State = 'closed' AND Completeness >= {completeness:Float64} AND Start >= {since:DateTime64(9)}
    AND ({agent:String} = '' OR AgentName = {agent:String})
    AND ({release:String} = '' OR Release = {release:String})
GROUP BY stratum
ORDER BY stratum
