-- Content of the spans of one chunk of canonical_todo.
-- Text that is no UTF-8 is made so: the client would return it as hex.
-- Parameters: chunk UInt32; first_ns, last_ns Int64.
-- Row order: trace, then time: a call is asked for before it is made.
SELECT
    TraceId,
    SpanId,
    toUnixTimestamp64Nano(Timestamp) AS TimestampNs,
    Class,
    ToolName,
    toValidUTF8(SystemInstructions),
    toValidUTF8(InputMessages),
    toValidUTF8(OutputMessages),
    toValidUTF8(EventMessages),
    toValidUTF8(Input),
    toValidUTF8(Output),
    toValidUTF8(ToolArguments),
    toValidUTF8(ToolResult)
FROM {{ table('genai_spans') }}
WHERE TraceId IN (SELECT TraceId FROM {{ table('canonical_todo') }} WHERE Chunk = {chunk:UInt32})
    AND Timestamp >= fromUnixTimestamp64Nano({first_ns:Int64})
    AND Timestamp <= fromUnixTimestamp64Nano({last_ns:Int64})
    AND (TraceId, SpanId) IN (SELECT TraceId, SpanId FROM {{ table('canonical_todo') }} WHERE Chunk = {chunk:UInt32})
ORDER BY TraceId, Timestamp, SpanId
