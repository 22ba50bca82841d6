-- The probability of trajectories by the model's linear part: log-odds = intercept + sum of weight * (number - mean) / scale.
--
-- Numbers are cut at cut scales from the mean; unknown ones add nothing; a trajectory of which no number is known, or of
-- another list of numbers, gets NULL. Those in expert_trajectories are left out. Base has weights and an intercept of its own.
-- Parameters: everything:Bool (all trajectories of production too: a run keeps the score of the model that its experiment froze), names:Array(String), means, scales, weights,
-- base_weights: Array(Float64), intercept, base_intercept, cut:Float64, method, model:String, evidence:UInt64 (entries),
-- feature_version:UInt32, version:UInt64.
INSERT INTO {{ table('trajectory_satisfaction') }} (TrajectoryId, Probability, Base, Method, Evidence, ModelId, Version, IsDeleted)
SELECT
    TrajectoryId,
    if(Known, toFloat32(1 / (1 + exp(-({intercept:Float64} + arraySum(Added))))), NULL) AS Probability,
    if(Known, toFloat32(1 / (1 + exp(-({base_intercept:Float64}
        + arraySum((z, weight) -> z * weight, Standardised, {base_weights:Array(Float64)}))))), NULL) AS Base,
    {method:String},
    if(Known, arrayMap(
        pair -> (pair.1, toFloat32(pair.2)),
        arraySlice(
            arraySort(pair -> -abs(pair.2), arrayFilter(pair -> abs(pair.2) >= 0.005, arrayZip({names:Array(String)}, Added))),
            1, {evidence:UInt64})), []) AS Evidence,
    {model:String},
    {version:UInt64},
    0
FROM (
    SELECT
        TrajectoryId,
        arrayExists(number -> NOT isNaN(number), Numbers) AND FeatureVersion = {feature_version:UInt32} AS Known,
        arrayMap(
            (number, mean, scale) -> if(
                isNaN(number) OR scale = 0, 0., greatest(-{cut:Float64}, least({cut:Float64}, (number - mean) / scale))),
            if(Known, Numbers, arrayMap(name -> toFloat32(nan), {names:Array(String)})),
            {means:Array(Float64)}, {scales:Array(Float64)}) AS Standardised,
        arrayMap((z, weight) -> z * weight, Standardised, {weights:Array(Float64)}) AS Added
    FROM {{ table('trajectory_features') }} FINAL
    WHERE TrajectoryId NOT IN (SELECT TrajectoryId FROM {{ table('expert_trajectories') }})
        AND (({everything:Bool} AND TrajectoryId NOT IN (SELECT TrajectoryId FROM {{ table('trajectories') }} WHERE RunId != ''))
            OR TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }}))
)
