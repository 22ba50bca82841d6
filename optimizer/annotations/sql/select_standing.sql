-- What stands at an endpoint of a kind: findings whose newest version there does not take them back for good.
--
-- Parameters: kind, endpoint String; since_ms Int64; agents Array(String), empty = all; after_trace, after_span, after_id String: the last
-- row of the page before; page UInt32. Rows: TraceId, SpanId, Identifier, in this order.
SELECT TraceId, SpanId, Identifier
FROM {{ table('annotations') }} FINAL
WHERE Kind = {kind:String} AND Endpoint = {endpoint:String} AND NOT (Retracted = 1 AND State = 'sent')
    AND Moment >= fromUnixTimestamp64Milli({since_ms:Int64})
    AND (empty({agents:Array(String)}) OR AgentName IN {agents:Array(String)})
    AND (TraceId, SpanId, Identifier) > ({after_trace:String}, {after_span:String}, {after_id:String})
ORDER BY TraceId, SpanId, Identifier
LIMIT {page:UInt32}
