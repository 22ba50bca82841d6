-- What stands at an endpoint of a kind in a window of findings: what was written of it and not taken back for good.
--
-- Parameters: kind, endpoint String; since_ms Int64; agents Array(String), empty = all; after_ms, until_ms Int64, after_trace, after_id,
-- until_trace, until_id String: the window (spanloop.optimizer.annotations.storing.Window); last_trace, last_span, last_id String: the last row
-- of the page before; page UInt32. Rows: TraceId, SpanId, Identifier, in this order.
SELECT TraceId, SpanId, Identifier
FROM {{ table('annotations') }} FINAL
WHERE Kind = {kind:String} AND Endpoint = {endpoint:String} AND NOT (Retracted = 1 AND State = 'sent')
    AND Moment >= fromUnixTimestamp64Milli({since_ms:Int64})
    AND (toUnixTimestamp64Milli(Moment), TraceId, Identifier) > ({after_ms:Int64}, {after_trace:String}, {after_id:String})
    AND (toUnixTimestamp64Milli(Moment), TraceId, Identifier) <= ({until_ms:Int64}, {until_trace:String}, {until_id:String})
    AND (empty({agents:Array(String)}) OR AgentName IN {agents:Array(String)})
    AND (TraceId, SpanId, Identifier) > ({last_trace:String}, {last_span:String}, {last_id:String})
ORDER BY TraceId, SpanId, Identifier
LIMIT {page:UInt32}
