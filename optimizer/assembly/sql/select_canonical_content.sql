-- Content of the spans of one chunk of canonical_todo.
-- Parameters: chunk UInt32; first_trace, last_trace String; first_ns, last_ns Int64.
-- Row order: trace, then time: a call is asked for before it is made.
SELECT
    TraceId,
    SpanId,
    toUnixTimestamp64Nano(Timestamp) AS TimestampNs,
    Class,
    ToolName,
    SystemInstructions,
    InputMessages,
    OutputMessages,
    EventMessages,
    Input,
    Output,
    ToolArguments,
    ToolResult
FROM {{ table('genai_spans') }}
WHERE TraceId >= {first_trace:String}
    AND TraceId <= {last_trace:String}
    AND Timestamp >= fromUnixTimestamp64Nano({first_ns:Int64})
    AND Timestamp <= fromUnixTimestamp64Nano({last_ns:Int64})
    AND (TraceId, SpanId) IN (SELECT TraceId, SpanId FROM {{ table('canonical_todo') }} WHERE Chunk = {chunk:UInt32})
ORDER BY TraceId, Timestamp, SpanId
