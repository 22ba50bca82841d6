-- The steps of the trajectories from {first:String} to {last:String} that changed, as every symptom asks of them.
--
-- {names:Array(String)}, {patterns:Array(String)}: phrases; {assents:Array(String)}, {denies:Array(String)}: first words; {reads:Array(String)}, {changes:Array(String)}: patterns of names of tools.
INSERT INTO {{ table('symptom_steps') }}
WITH
    steps AS (
        SELECT
            *,
            lower(replaceAll(replaceAll(ifNull(Text, ''), '\\n', '\n'), '’', '\'')) AS said,
            ifNull(Result, '') AS answer,
            ifNull(Arguments, '') AS asked,
            Kind = 'tool' AS is_call,
            Kind IN ('user', 'assistant') AS is_text
        FROM {{ table('trajectory_steps') }} FINAL
        WHERE TrajectoryId BETWEEN {first:String} AND {last:String}
          AND TrajectoryId IN (SELECT TrajectoryId FROM {{ table('changed_trajectories') }})
    ),
    derived AS (
        SELECT
            TrajectoryId, Step, Kind, Agent, Name, Status, FinishReason, TraceId, SpanId,
            if(Kind = 'user', extract(said, '[a-z]+'), '') AS first,
            if(is_text, arrayConcat(
                arrayMap(i -> {names:Array(String)}[i], multiMatchAllIndices(said, {patterns:Array(String)})),
                if(has({assents:Array(String)}, first), ['assents'], []), if(has({denies:Array(String)}, first), ['denies'], [])),
                []) AS Says,
            if(Kind = 'assistant', arrayMap(i -> {names:Array(String)}[i],
                multiMatchAllIndices(left(said, 240), {patterns:Array(String)})), []) AS beginning,
            toUInt8(hasAny(beginning, ['admits', 'hands_over'])) AS admits,
            right(trimRight(said), 240) AS closing,
            if(is_text, arrayMap(i -> {names:Array(String)}[i], multiMatchAllIndices(closing, {patterns:Array(String)})), []) AS Closing,
            if(is_text, right(splitByChar('\n', trimRight(ifNull(Text, '')))[-1], 400), '') AS Ending,
            toUInt32(length(said)) AS Length,
            if(is_text AND length(said) >= 24, ngramSimHashUTF8(said), 0) AS Sketch,
            if(is_call, cityHash64(Name, asked), cityHash64(said)) AS Hash,
            if(is_call, cityHash64(answer), 0) AS ResultHash,
            if(Result IS NULL, 0, if(match(answer, '^\\s*$'), 1, 2)) AS Answered,
            toUInt8(is_call AND length(answer) < 400 AND match(answer,
                '(?i)^\\s*(\\[\\s*\\]|\\{\\s*("[^"]*"\\s*:\\s*(\\[\\s*\\]|\\{\\s*\\}|null|0|""|false)\\s*,?\\s*)*\\}|null|none)\\s*$')) AS Hollow,
            multiIf(
                match(Name, {reads:Array(String)}[1]), -1, match(Name, {changes:Array(String)}[1]), 1,
                match(Name, {reads:Array(String)}[2]), -1, match(Name, {changes:Array(String)}[2]), 1, 0) AS Changes,
            if(is_call, JSONExtractKeys(asked), []) AS Keys,
            if(is_call, arrayConcat(
                arrayMap(p -> (p[1], p[2]), extractAllGroupsVertical(asked, '"(\\w+)"\\s*:\\s*"([\\w#@.+-]{3,64})"')),
                arrayFlatten(arrayMap(
                    l -> arrayMap(v -> (l[1], v), extractAll(l[2], '"([\\w#@.+-]{3,64})"')),
                    extractAllGroupsVertical(asked, '"(\\w+)"\\s*:\\s*\\[([^\\[\\]{}]*)\\]')))), []) AS pairs,
            CAST(arrayMap(a -> (a.1, lower(replaceAll(a.2, '#', '')), toUInt8(position(answer, a.2) > 0)), pairs),
                'Array(Tuple(key String, value String, echoed UInt8))') AS Arguments,
            arrayDistinct(arrayConcat(
                Arguments.value,
                if(is_call, extractAll(asked, '[\\s,:\\[](\\d{5,})\\b'), []))) AS Values,
            extractAll(
                if(is_call, lower(replaceAll(answer, '\\n', '\n')), said),
                '[\\w-]*\\d[\\w-]*(?:[.,]\\d+)*') AS Words,
            if(Kind = 'assistant', arrayMap(
                a -> toInt64(round(100 * toFloat64OrZero(replaceRegexpAll(a, '[^0-9.]', '')))),
                extractAll(said, '[$€£¥]\\s?\\d[\\d,]*(?:\\.\\d+)?|\\b\\d[\\d,]*\\.\\d\\d\\b')), []) AS Amounts,
            if(Kind = 'assistant', arrayDistinct(arrayMap(q -> extract(q, '\\d+'), extractAll(said,
                '\\b\\d{1,4}[ -](?:business |working |calendar )?(?:days?|weeks?|months?|years?|hours?|minutes?|percent)\\b|\\b\\d{1,3} ?%'))), [])
                AS Quantities,
            toUInt8(asked = '' OR isValidJSON(asked)) AS Valid,
            if(Status = 'error', trim(replaceRegexpAll(
                lower(substringUTF8(if(is_call AND answer != '', coalesce(
                    nullIf(JSONExtractString(answer, 'error'), ''), nullIf(JSONExtractString(answer, 'message'), ''), answer),
                    concat(ErrorType, ' ', said)), 1, 160)),
                '"[^"]*"|\'[^\']*\'|[\\w#-]*\\d[\\w#-]*', '*')), '') AS Error
        FROM steps
    )
SELECT
    cityHash64(t.Project, t.AgentName) AS Scope, TrajectoryId, Step,
    max(Step) OVER (PARTITION BY TrajectoryId) AS Last,
    countIf(Kind = 'user') OVER past AS Turn,
    Kind, Agent, Name, Status, FinishReason, Says, Closing, Ending, Length, Sketch, Hash, ResultHash, Answered, Hollow, Changes,
    Keys, Arguments, Values, Words, Amounts, Quantities,
    Kind != 'tool' OR empty(t.Tools) OR has(t.Tools, Name) AS Offered,
    Valid, Error,
    any(Kind) OVER before AS PreviousKind,
    any(Hash) OVER before AS PreviousHash,
    any(ResultHash) OVER before AS PreviousResult,
    any(Kind) OVER next AS NextKind,
    any(Name) OVER next AS NextName,
    minIf(Step, Kind = 'assistant') OVER soon AS ReplyStep,
    argMinIf(admits, Step, Kind = 'assistant') OVER soon AS ReplyAdmits,
    argMinIf(has(Says, 'done'), Step, Kind = 'assistant') OVER soon AS ReplyDone,
    TraceId, SpanId
FROM derived
LEFT ANY JOIN (
    SELECT TrajectoryId, Project, AgentName, Tools FROM {{ table('trajectories') }} FINAL
    WHERE TrajectoryId BETWEEN {first:String} AND {last:String}
) AS t USING (TrajectoryId)
WINDOW
    past AS (PARTITION BY TrajectoryId ORDER BY Step ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW),
    before AS (PARTITION BY TrajectoryId ORDER BY Step ROWS BETWEEN 1 PRECEDING AND 1 PRECEDING),
    next AS (PARTITION BY TrajectoryId ORDER BY Step ROWS BETWEEN 1 FOLLOWING AND 1 FOLLOWING),
    soon AS (PARTITION BY TrajectoryId ORDER BY Step ROWS BETWEEN 1 FOLLOWING AND 6 FOLLOWING)
