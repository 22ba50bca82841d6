-- Chunks of canonical_todo.
-- Row order: Chunk. Columns: chunk, spans, whether any has log records, first and last start of a span in nanoseconds.
SELECT
    Chunk,
    count(),
    max(Logged),
    toUnixTimestamp64Nano(min(Timestamp)),
    toUnixTimestamp64Nano(max(Timestamp))
FROM {{ table('canonical_todo') }}
GROUP BY Chunk
ORDER BY Chunk
