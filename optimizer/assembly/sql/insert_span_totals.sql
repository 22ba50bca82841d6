-- Labels come from the outermost, then the earliest span that has one; a cost is known where that of every call is.
INSERT INTO {{ table('assembly_span_totals') }}
SELECT
    N,
    argMinIf(UserId, (Start, SpanId), UserId != ''),
    argMin(ServiceName, (ParentSpanId != '', Start, SpanId)),
    argMinIf(AgentName, (ParentSpanId != '', Start, SpanId), AgentName != ''),
    argMinIf(AgentId, (ParentSpanId != '', Start, SpanId), AgentId != ''),
    argMinIf(AgentVersion, (ParentSpanId != '', Start, SpanId), AgentVersion != ''),
    argMinIf(Release, (ParentSpanId != '', Start, SpanId), Release != ''),
    argMinIf(RunId, (ParentSpanId != '', Start, SpanId), RunId != ''),
    arraySort(groupUniqArrayIf(Model::String, Class = 'llm' AND Model != '')),
    arraySort(groupUniqArray(Dialect::String)),
    min(Start), max(End),
    countIf(Class = 'llm'),
    countIf(Class = 'llm' AND NOT Failed AND a.Told = 0),
    countIf(Class = 'llm' AND NOT Failed AND a.Told = 1),
    countIf(s.Truncated OR FinishReason IN ('length', 'max_tokens', 'MAX_TOKENS') OR (Class = 'llm' AND HasMessages AND a.Told = 0)),
    countIf(ParentSpanId != '' AND s.SpanKey IN (
        SELECT SpanKey FROM {{ table('assembly_orphans') }} WHERE ParentKey NOT IN (SELECT SpanKey FROM {{ table('assembly_parents') }}))),
    uniqExactIf(ConversationId, ConversationId != ''),
    sum(InputTokens), sum(OutputTokens),
    if(countIf(Class IN ('llm', 'embedding', 'rerank') AND CostUsd IS NULL) > 0, NULL, sum(CostUsd))
FROM {{ table('assembly_spans') }} AS s
LEFT JOIN (
    SELECT c.SpanKey AS SpanKey, m.Told AS Told
    FROM (
        SELECT bitShiftRight(Place, 20) AS Ordinal, toUInt8(1 + max(Side)) AS Told FROM {{ table('assembly_messages') }} GROUP BY Ordinal
    ) AS m
    INNER JOIN {{ table('assembly_calls') }} AS c ON c.Ordinal = m.Ordinal
) AS a ON a.SpanKey = s.SpanKey
GROUP BY N
