-- The history that each of these calls tells and leaves, as chains of hashes: the n-th adds the n-th element to the one before.
--
-- Tool answers are left out: instrumentations lose them, and the calls that they answer are in. Where the answer of a call
-- was not carried, its history is known up to there ('open'), and fits any that continues with an answer.
INSERT INTO {{ table('assembly_histories') }}
WITH
    arrayFilter((key, kind) -> kind BETWEEN 1 AND 3, Keys, Kinds) AS keys,
    arrayFilter(kind -> kind BETWEEN 1 AND 3, Kinds) AS kinds,
    arrayCumSum(arrayMap((key, kind, i) -> cityHash64(i, kind, key), keys, kinds, arrayEnumerate(keys))) AS chain,
    arrayCount((kind, i) -> kind BETWEEN 1 AND 3 AND i <= Inputs, Kinds, arrayEnumerate(Kinds)) AS told
SELECT
    TraceId, traces.Project, traces.Start,
    multiIf(told = 0, 0, told < length(keys), chain[-1], cityHash64('open', chain[-1])) AS HistoryKey,
    arrayReverse(arrayFlatten(arrayMap(
        (kind, before, after, i) -> if(kind = 1 OR i > told, [], if(before = 0, [after], [cityHash64('open', before), after])),
        kinds, arrayPopBack(arrayPushFront(chain, 0)), chain, arrayEnumerate(kinds)))) AS Prefixes
FROM {{ table('assembly_elements') }} AS called
INNER JOIN {{ table('assembly_traces') }} AS traces USING TraceId
WHERE notEmpty(keys)
