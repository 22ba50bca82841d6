-- What the ledger holds of findings of a kind on the given traces, at every endpoint.
--
-- Parameters: kind String; traces Array(String). Rows, in no order: as spanloop.optimizer.annotations.storing.read_entries reads them.
SELECT
    Kind, TraceId, SpanId, Identifier, Endpoint, Project, AgentName, AnnotationVersion, Label, Score, PayloadHash, VerdictHash, Retracted, State,
    toUnixTimestamp64Milli(FoundAt), toUnixTimestamp64Milli(Moment), toUnixTimestamp64Milli(SentAt), toUnixTimestamp64Milli(LoggedAt)
FROM {{ table('annotations') }} FINAL
WHERE Kind = {kind:String} AND TraceId IN {traces:Array(String)}
