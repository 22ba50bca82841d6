-- What is stored of runs that agents outside told themselves.
-- Parameters: runs Array(String): run ids; traces Array(String): trace ids given to them; since DateTime64(3): start of the oldest.
-- One row a run, in no order: RunId, GenAI spans, milliseconds since 1970 of the newest start, trace ids, model calls, tokens in,
-- tokens out, US dollars, hashes of the configurations that spans are stamped with. Counts and sums are NULL where a model call does
-- not carry its own.
SELECT
    RunId,
    uniqExact(SpanId) AS Spans,
    max(toUnixTimestamp64Milli(Timestamp)) AS NewestMs,
    groupUniqArray(TraceId) AS TraceIds,
    uniqExactIf(SpanId, Class = 'llm') AS Calls,
    if(countIf(Class = 'llm' AND InputTokens IS NULL) > 0, NULL, sumIf(InputTokens, Class = 'llm')) AS TokensIn,
    if(countIf(Class = 'llm' AND OutputTokens IS NULL) > 0, NULL, sumIf(OutputTokens, Class = 'llm')) AS TokensOut,
    if(countIf(Class = 'llm' AND CostUsd IS NULL) > 0, NULL, sumIf(CostUsd, Class = 'llm')) AS Usd,
    any(Ran) AS Configurations
FROM (
    SELECT *
    FROM {{ table('genai_spans') }}
    WHERE Timestamp >= {since:DateTime64(3)}
        AND (TraceId IN {traces:Array(String)} OR ConversationId IN {runs:Array(String)})
        AND RunId IN {runs:Array(String)}
    LIMIT 1 BY TraceId, SpanId
) AS told
LEFT JOIN (
    SELECT SpanAttributes['spanloop.run.id'] AS RunId, groupUniqArray(SpanAttributes['spanloop.configuration']) AS Ran
    FROM {{ table('otel_traces') }}
    WHERE Timestamp >= {since:DateTime64(3)}
        AND TraceId IN (
            SELECT TraceId
            FROM {{ table('genai_spans') }}
            WHERE Timestamp >= {since:DateTime64(3)}
                AND (TraceId IN {traces:Array(String)} OR ConversationId IN {runs:Array(String)})
                AND RunId IN {runs:Array(String)}
        )
        AND RunId IN {runs:Array(String)}
        AND SpanAttributes['spanloop.configuration'] != ''
    GROUP BY RunId
) AS stamps USING (RunId)
GROUP BY RunId
