-- genai_spans: one row per GenAI span of otel_traces, whatever its dialect (docs/dialects.md), written by genai_spans_mv.
--
-- Missing is NULL for numbers and content. A label or an id that is absent is '' (LowCardinality(String), String): none of
-- them means anything when empty. Usage counts once: InputTokens … CostUsd are set on model calls only (llm, embedding,
-- rerank); what agents, workflows and steps report of their children is in the Aggregate… columns. InputTokens includes
-- cached and OutputTokens reasoning tokens. Content is as carried: JSON text; indexed flat keys as one object of suffix → text.
-- Ordered by trace: a conversation is read by the traces that name it, since most dialects put its id on some spans only.
CREATE TABLE IF NOT EXISTS {{ table('genai_spans') }} {{ on_cluster }} (
    BatchId String CODEC(ZSTD(1)),
    Project LowCardinality(String) CODEC(ZSTD(1)),
    Timestamp DateTime64(9) CODEC(Delta, ZSTD(1)),
    TraceId String CODEC(ZSTD(1)),
    SpanId String CODEC(ZSTD(1)),
    ParentSpanId String CODEC(ZSTD(1)),
    ServiceName LowCardinality(String) CODEC(ZSTD(1)),
    SpanName LowCardinality(String) CODEC(ZSTD(1)),
    SpanKind LowCardinality(String) CODEC(ZSTD(1)),
    ScopeName LowCardinality(String) CODEC(ZSTD(1)),
    Duration UInt64 CODEC(ZSTD(1)),                              -- nanoseconds
    Class LowCardinality(String) CODEC(ZSTD(1)),                 -- llm, embedding, retrieval, rerank, tool, agent, workflow, step, memory, guardrail, evaluation, other
    Operation LowCardinality(String) CODEC(ZSTD(1)),             -- as carried: gen_ai.operation.name or the dialect's own kind
    Dialect LowCardinality(String) CODEC(ZSTD(1)),
    ProcessorVersion UInt16 CODEC(ZSTD(1)),
    Provider LowCardinality(String) CODEC(ZSTD(1)),              -- canonical name; never a framework's
    RequestModel LowCardinality(String) CODEC(ZSTD(1)),
    ResponseModel LowCardinality(String) CODEC(ZSTD(1)),
    AgentName LowCardinality(String) CODEC(ZSTD(1)),
    AgentId String CODEC(ZSTD(1)),
    AgentVersion LowCardinality(String) CODEC(ZSTD(1)),
    Release LowCardinality(String) CODEC(ZSTD(1)),               -- spanloop.release.id, or the dialect's release
    RunId String CODEC(ZSTD(1)),                                 -- spanloop.run.id: the episode of an experiment that it belongs to; '' = production
    ToolName LowCardinality(String) CODEC(ZSTD(1)),
    ToolCallId String CODEC(ZSTD(1)),
    ToolType LowCardinality(String) CODEC(ZSTD(1)),
    ConversationId String CODEC(ZSTD(1)),                        -- carried by this span; never invented
    ConversationSource LowCardinality(String) CODEC(ZSTD(1)),    -- the attribute key it came from
    UserId String CODEC(ZSTD(1)),
    InputTokens Nullable(UInt64) CODEC(ZSTD(1)),
    OutputTokens Nullable(UInt64) CODEC(ZSTD(1)),
    CacheReadTokens Nullable(UInt64) CODEC(ZSTD(1)),
    CacheWriteTokens Nullable(UInt64) CODEC(ZSTD(1)),
    ReasoningTokens Nullable(UInt64) CODEC(ZSTD(1)),
    AggregateInputTokens Nullable(UInt64) CODEC(ZSTD(1)),
    AggregateOutputTokens Nullable(UInt64) CODEC(ZSTD(1)),
    CostUsd Nullable(Float64) CODEC(ZSTD(1)),
    CostSource LowCardinality(String) CODEC(ZSTD(1)),            -- reported (by the instrumentation), computed (model_prices), '' = unknown
    AggregateCostUsd Nullable(Float64) CODEC(ZSTD(1)),
    FinishReasons Array(LowCardinality(String)) CODEC(ZSTD(1)),
    ErrorType LowCardinality(String) CODEC(ZSTD(1)),
    Status LowCardinality(String) CODEC(ZSTD(1)),                -- Unset, Ok, Error
    StatusMessage String CODEC(ZSTD(1)),
    Temperature Nullable(Float64) CODEC(ZSTD(1)),
    TopP Nullable(Float64) CODEC(ZSTD(1)),
    TopK Nullable(UInt64) CODEC(ZSTD(1)),
    MaxTokens Nullable(UInt64) CODEC(ZSTD(1)),
    FrequencyPenalty Nullable(Float64) CODEC(ZSTD(1)),
    PresencePenalty Nullable(Float64) CODEC(ZSTD(1)),
    Seed Nullable(Int64) CODEC(ZSTD(1)),
    ChoiceCount Nullable(UInt64) CODEC(ZSTD(1)),
    StopSequences Array(String) CODEC(ZSTD(1)),
    TimeToFirstChunk Nullable(Float64) CODEC(ZSTD(1)),           -- seconds
    OutputType LowCardinality(String) CODEC(ZSTD(1)),
    ResponseId String CODEC(ZSTD(1)),
    PromptName LowCardinality(String) CODEC(ZSTD(1)),
    PromptVersion LowCardinality(String) CODEC(ZSTD(1)),
    SystemInstructions Nullable(String) CODEC(ZSTD(3)),
    InputMessages Nullable(String) CODEC(ZSTD(3)),
    OutputMessages Nullable(String) CODEC(ZSTD(3)),
    EventMessages Nullable(String) CODEC(ZSTD(3)),               -- messages carried by span events: [{name, attributes}]
    ToolDefinitions Nullable(String) CODEC(ZSTD(3)),
    ToolArguments Nullable(String) CODEC(ZSTD(3)),
    ToolResult Nullable(String) CODEC(ZSTD(3)),                  -- '' is a tool that returned nothing
    RetrievalQuery Nullable(String) CODEC(ZSTD(3)),
    RetrievalDocuments Nullable(String) CODEC(ZSTD(3)),
    Input Nullable(String) CODEC(ZSTD(3)),                       -- generic input and output (OpenInference, Traceloop, Langfuse …)
    Output Nullable(String) CODEC(ZSTD(3)),
    INDEX idx_batch_id BatchId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_conversation_id ConversationId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_run_id RunId TYPE bloom_filter(0.001) GRANULARITY 1,
    INDEX idx_user_id UserId TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX idx_timestamp Timestamp TYPE minmax GRANULARITY 1
) ENGINE = {{ merge_tree('genai_spans') }}
PARTITION BY toDate(Timestamp)
ORDER BY (TraceId, Timestamp, SpanId)
{{ ttl('toDateTime(Timestamp)') }}
SETTINGS index_granularity = 8192, ttl_only_drop_parts = 1{{ table_settings }}
