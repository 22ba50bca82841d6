-- What each step of some trajectories brings in: words, numbers, names and codes, for tracing values to their origin.
--
-- Step 0 is the request as said, with the system instructions as its result. Text stays here; sets of tokens leave. Symptoms
-- are those whose first step it is, with the highest of their weights.
-- Parameters: ids:Array(String), characters:UInt32 (of a text that are read). Rows: by TrajectoryId, Step.
WITH
    texts AS (
        SELECT
            TrajectoryId,
            Step,
            Kind,
            Agent,
            Name,
            Status,
            if(
                Kind = 'tool',
                replaceRegexpAll(substringUTF8(ifNull(Arguments, ''), 1, {characters:UInt32}), '\\\\[nrt]', ' '),
                substringUTF8(ifNull(Text, ''), 1, {characters:UInt32})
            ) AS Said,
            substringUTF8(ifNull(Result, ''), 1, {characters:UInt32}) AS Answered
        FROM {{ table('trajectory_steps') }} FINAL
        WHERE TrajectoryId IN {ids:Array(String)}
        UNION ALL
        SELECT
            TrajectoryId,
            toUInt32(0) AS Step,
            'request' AS Kind,
            '' AS Agent,
            '' AS Name,
            '' AS Status,
            substringUTF8(ifNull(Opening, ''), 1, {characters:UInt32}) AS Said,
            substringUTF8(ifNull(System, ''), 1, {characters:UInt32}) AS Answered
        FROM {{ table('trajectories') }} FINAL
        WHERE TrajectoryId IN {ids:Array(String)}
    ),
    shown AS (
        SELECT TrajectoryId, Step, max(Weight) AS SymptomWeight, arraySort(groupUniqArray(Symptom)) AS Symptoms
        FROM {{ table('trajectory_symptoms') }} FINAL
        WHERE TrajectoryId IN {ids:Array(String)}
        GROUP BY TrajectoryId, Step
    ),
    parts AS (
        SELECT
            *,
            replaceRegexpAll(Said, '(?s)```.*?(?:```|\\z)', ' ') AS Prose,
            arrayStringConcat(extractAll(Said, '(?s)```.*?(?:```|\\z)'), '\n') AS Code,
            -- numbers that count things off are no claims: "2." at the start of a line, "step 3"
            replaceRegexpAll(replaceRegexpAll(Prose, '(?mi)^\\s*(?:#+\\s*)?(?:step\\s+)?\\d+[.):]\\s', ' '), '(?i)\\bstep\\s+\\d+', ' ') AS Uncounted,
            splitByChar(' ', Prose) AS Pieces,
            splitByChar(' ', Answered) AS AnsweredPieces
        FROM texts
    )
SELECT
    TrajectoryId,
    Step,
    Kind,
    Agent,
    Name,
    Status,
    lengthUTF8(Prose) AS ProseLength,
    lengthUTF8(Code) AS CodeLength,
    lengthUTF8(Said) > 0 AS Acts,
    SymptomWeight,
    Symptoms,
    -- said instead of looked up: generic words for made-up or guessed content
    countMatches(Said, '(?i)\\b(?:assum\\w*|hypothetical\\w*|placeholder\\w*|example data|sample data|mock\\w*|dummy|simulat\\w*|let\'s say|suppose|pretend|approximat\\w*|estimat\\w*|guess\\w*|likely|probably|typically|generally|presum\\w*|should be|might be|manually)\\b|\\byour[_-]|path/to') AS Assumptions,
    arrayDistinct(extractAll(lowerUTF8(Said), '\\d+(?:[.,]\\d+)*|[a-z][a-z0-9_\'-]{2,}')) AS Words,
    arrayDistinct(extractAll(Uncounted, '(?:^|[^\\w.])(\\d[\\d,]*(?:\\.\\d+)?)\\b')) AS Numbers,
    -- capitalised inside a sentence: after a lower-case letter or a mark that does not end one
    arrayDistinct(arrayFilter(name -> name != '', arrayMap(
        (piece, before) -> if(match(before, '[a-z,;:("\'*]$'), lowerUTF8(extract(piece, '^([A-Z][a-zà-ÿ\'’-]{2,})')), ''),
        Pieces, arrayPushFront(arrayPopBack(Pieces), '')
    ))) AS Names,
    arrayDistinct(arrayMap(code -> lowerUTF8(code), arrayFilter(code -> match(code, '\\d') AND match(code, '[A-Za-z]'), extractAll(Said, '\\b\\w{5,}\\b')))) AS Codes,
    arrayDistinct(extractAll(lowerUTF8(Answered), '\\d+(?:[.,]\\d+)*|[a-z][a-z0-9_\'-]{2,}')) AS ResultWords,
    arrayDistinct(extractAll(Answered, '(?:^|[^\\w.])(\\d[\\d,]*(?:\\.\\d+)?)\\b')) AS ResultNumbers,
    arrayDistinct(arrayFilter(name -> name != '', arrayMap(
        (piece, before) -> if(match(before, '[a-z,;:("\'*]$'), lowerUTF8(extract(piece, '^([A-Z][a-zà-ÿ\'’-]{2,})')), ''),
        AnsweredPieces, arrayPushFront(arrayPopBack(AnsweredPieces), '')
    ))) AS ResultNames,
    arrayDistinct(arrayMap(code -> lowerUTF8(code), arrayFilter(code -> match(code, '\\d') AND match(code, '[A-Za-z]'), extractAll(Answered, '\\b\\w{5,}\\b')))) AS ResultCodes
FROM parts
LEFT JOIN shown USING (TrajectoryId, Step)
ORDER BY TrajectoryId, Step
