-- canonical_messages: content of spans that do not carry it as OTel message parts, rewritten once to that form.
--
-- Only spans that need it have a row (spanloop.processor.messages); the others are read from genai_spans as they are.
-- Where a span has a row, its messages are those of the row; its tool columns are coalesce(row's, genai_spans').
CREATE TABLE IF NOT EXISTS {{ table('canonical_messages') }} {{ on_cluster }} (
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
    SystemInstructions Nullable(String) CODEC(ZSTD(3)),          -- JSON: [{"type": "text", "content": …}]
    InputMessages Nullable(String) CODEC(ZSTD(3)),               -- JSON: [{"role": …, "parts": [{"type": …}]}]
    OutputMessages Nullable(String) CODEC(ZSTD(3)),
    Truncated Bool CODEC(ZSTD(1)),                               -- a cap was reached, or the text ends inside JSON
    Version UInt64 CODEC(ZSTD(1)),
    ToolArguments Nullable(String) CODEC(ZSTD(3)),               -- of tool spans: unwrapped JSON; NULL = as in genai_spans
    ToolResult Nullable(String) CODEC(ZSTD(3)),                  -- the same, of what the tool answered
    ToolCallId String CODEC(ZSTD(1))                             -- carried inside a tool span's content; '' = as in genai_spans
) ENGINE = {{ merge_tree('canonical_messages', 'Replacing', 'Version') }}
ORDER BY (TraceId, SpanId)
{{ ttl('toDateTime(Timestamp)') }}
SETTINGS index_granularity = 8192{{ table_settings }}
