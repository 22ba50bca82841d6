-- What stands at an endpoint of findings of a kind, wherever it was written.
--
-- Parameters: kind, endpoint String; identifiers Array(String); before_ms Int64: only of what happened before; last_trace, last_span, last_id
-- String: the last row of the page before; page UInt32. Rows: TraceId, SpanId, Identifier, in this order.
SELECT TraceId, SpanId, Identifier
FROM {{ table('annotations') }} FINAL
WHERE Kind = {kind:String} AND Endpoint = {endpoint:String} AND NOT (Retracted = 1 AND State = 'sent')
    AND Identifier IN {identifiers:Array(String)} AND toUnixTimestamp64Milli(Moment) < {before_ms:Int64}
    AND (TraceId, SpanId, Identifier) > ({last_trace:String}, {last_span:String}, {last_id:String})
ORDER BY TraceId, SpanId, Identifier
LIMIT {page:UInt32}
