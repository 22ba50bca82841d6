-- Chunks of canonical_todo.
-- Row order: Chunk. Columns: chunk, spans, whether any has log records, bounds of its trace ids and (nanoseconds) its spans.
SELECT
    Chunk,
    count(),
    max(Logged),
    min(TraceId),
    max(TraceId),
    toUnixTimestamp64Nano(min(Timestamp)),
    toUnixTimestamp64Nano(max(Timestamp))
FROM {{ table('canonical_todo') }}
GROUP BY Chunk
ORDER BY Chunk
