-- The history that each of these calls tells and leaves, as chains of hashes: the n-th adds the n-th element to the one before.
--
-- Tool answers are left out: instrumentations lose them, and the calls that they answer are in. Where the answer of a call
-- was not carried, its history is known up to there ('open'), and fits any that continues with an answer.
INSERT INTO {{ table('assembly_histories') }}
WITH
    arrayFilter(e -> e.Kind != 4, Elements) AS elements,
    arrayCumSum(arrayMap((e, i) -> sipHash64(i, e.Kind, e.Key), elements, arrayEnumerate(elements))) AS chain,
    countEqual(elements.Side, 0) AS told,
    arrayFilter(i -> elements[i].Kind != 1, range(toUInt32(1), toUInt32(told + 1))) AS answers
SELECT
    TraceId, traces.Project, traces.Start,
    multiIf(told = 0, 0, told < length(elements), chain[-1], sipHash64('open', chain[-1])) AS HistoryKey,
    arrayFlatten(arrayMap(i -> if(i > 1, [chain[i], sipHash64('open', chain[i - 1])], [chain[i]]), arrayReverse(answers))) AS Prefixes
FROM {{ table('assembly_elements') }} AS called
INNER JOIN {{ table('assembly_traces') }} AS traces USING TraceId
WHERE notEmpty(Elements)
