-- Numbers that describe the changed trajectories of a range of ids, in the order of satisfaction.features.NUMBERS.
--
-- Parameters: first:String, last:String (range of ids), changing:Array(String), handing:Array(String) (tools that change
-- something, that hand over), names:Array(String), phrases:Array(String) (lexicon.PHRASES), feature_version:UInt32,
-- version:UInt64. Counts enter as ln(1 + n), shares as square roots; what a trajectory does not carry is NaN. An opening
-- can correct nobody, so corrections and the like are counted among the user's later messages.
INSERT INTO {{ table('trajectory_features') }} (TrajectoryId, Stratum, Numbers, FeatureVersion, Version, IsDeleted)
WITH
    steps AS (
        SELECT
            TrajectoryId, Step, Kind, Status, FinishReason, Timestamp, Arguments, Name,
            Text IS NOT NULL AND Text != '' AS Spoken,
            lengthUTF8(ifNull(Text, '')) AS Chars,
            lengthUTF8(ifNull(Result, '')) AS ResultChars,
            Result IS NOT NULL AS Answered,
            Kind = 'tool' AND has({changing:Array(String)}, Name) AS Changes,
            Kind = 'tool' AND has({handing:Array(String)}, Name) AS HandsOver,
            arrayMap(
                at -> {names:Array(String)}[at],
                multiMatchAllIndices(substring(ifNull(Text, ''), 1, 4000), {phrases:Array(String)})) AS Phrases
        FROM {{ table('trajectory_steps') }} FINAL
        WHERE TrajectoryId BETWEEN {first:String} AND {last:String}
            AND TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }})
    ),
    placed AS (
        SELECT *, Kind = 'user' AND Spoken AND Step > min(if(Kind = 'user', Step, 4294967295)) OVER (PARTITION BY TrajectoryId) AS Later
        FROM steps
    ),
    symptoms AS (
        SELECT TrajectoryId, sum(Weight) AS Weight
        FROM {{ table('trajectory_symptoms') }} FINAL
        WHERE TrajectoryId BETWEEN {first:String} AND {last:String}
            AND TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }})
        GROUP BY TrajectoryId
    ),
    told AS (
        SELECT
            TrajectoryId,
            countIf(Kind = 'user' AND Spoken) AS asked,
            countIf(Later) AS replied,
            countIf(Kind = 'assistant' AND Spoken) AS answered,
            countIf(Kind = 'tool') AS called,
            log1p(count()) AS steps,
            log1p(countIf(Kind = 'user')) AS turns,
            log1p(called) AS calls,
            log1p(countIf(Changes AND Status != 'error')) AS changes,
            log1p(countIf(Kind = 'tool' AND NOT Changes AND NOT HandsOver)) AS reads,
            log1p(countIf(Status = 'error')) AS errors,
            log1p(countIf(Changes AND Status = 'error')) AS failed_changes,
            log1p(called - uniqExactIf((Name, Arguments), Kind = 'tool')) AS repeated_calls,
            log1p(countIf(Kind = 'tool' AND Answered AND ResultChars <= 2)) AS empty_results,
            log1p(countIf(HandsOver OR Kind = 'handoff')) AS handovers,
            log1p(countIf(FinishReason IN ('length', 'max_tokens'))) AS truncated,
            toFloat64(maxIf(Step, Kind = 'user') > maxIf(Step, Kind = 'assistant')) AS unanswered,
            if(countIf(Changes) = 0, nan, maxIf(Step, Changes) / max(Step)) AS last_change,
            log1p(dateDiff('millisecond', min(Timestamp), max(Timestamp)) / 1000) AS seconds,
            log1p(sumIf(ResultChars, Kind = 'tool')) AS result_chars,
            if(answered = 0, nan, log1p(sumIf(Chars, Kind = 'assistant'))) AS answer_chars,
            if(answered = 0, nan, log1p(sumIf(Chars, Kind = 'assistant') / answered)) AS answer_length,
            if(asked = 0, nan, log1p(sumIf(Chars, Kind = 'user') / asked)) AS user_length,
            if(replied = 0, nan, sqrt(countIf(Later AND has(Phrases, 'correction')) / replied)) AS corrections,
            if(replied = 0, nan, sqrt(countIf(Later AND has(Phrases, 'frustration')) / replied)) AS frustration,
            if(replied = 0, nan, sqrt(countIf(Later AND has(Phrases, 'insistence')) / replied)) AS insistence,
            if(asked = 0, nan, sqrt(countIf(Kind = 'user' AND has(Phrases, 'wants_person')) / asked)) AS wants_person,
            if(replied = 0, nan, sqrt(countIf(Later AND has(Phrases, 'consent')) / replied)) AS consent,
            if(asked = 0, nan, toFloat64(has(argMaxIf(Phrases, Step, Kind = 'user'), 'thanks'))) AS thanked_last,
            if(answered = 0, nan, sqrt(countIf(Kind = 'assistant' AND has(Phrases, 'inability')) / answered)) AS inability,
            if(answered = 0, nan, sqrt(countIf(Kind = 'assistant' AND has(Phrases, 'apology')) / answered)) AS apology,
            if(answered = 0, nan, sqrt(countIf(Kind = 'assistant' AND has(Phrases, 'uncertain')) / answered)) AS uncertain,
            if(answered = 0, nan, log1p(countIf(Kind = 'assistant' AND has(Phrases, 'money')))) AS money,
            if(answered = 0, nan, toFloat64(has(argMaxIf(Phrases, Step, Kind = 'assistant'), 'claims_done'))) AS claimed_done_last
        FROM placed
        GROUP BY TrajectoryId
    )
SELECT
    told.TrajectoryId,
    strata.Stratum,
    arrayMap(number -> toFloat32(number), [
        steps, turns, calls, changes, reads, errors, failed_changes, repeated_calls, empty_results, handovers, truncated,
        unanswered, last_change, seconds, result_chars, answer_chars, answer_length, user_length, corrections, frustration,
        insistence, wants_person, consent, thanked_last, inability, apology, uncertain, money, claimed_done_last,
        log1p(symptoms.Weight)]) AS Numbers,
    {feature_version:UInt32},
    {version:UInt64},
    0
FROM told
LEFT JOIN {{ table('trajectory_strata') }} AS strata ON strata.TrajectoryId = told.TrajectoryId
LEFT JOIN symptoms ON symptoms.TrajectoryId = told.TrajectoryId
