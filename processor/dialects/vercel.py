"""Vercel AI SDK 3 to 6 (section 2.4). Version 7 writes plain OTel names with the operation ``agent_step``."""

from spanloop.processor.rules import Dialect, inside, only

_METADATA = "ai.response.providerMetadata"

VERCEL = Dialect(
    name="vercel_ai_sdk",
    scopes=("ai", "@ai-sdk/otel"),
    markers=(
        "ai.operationId",
        "ai.model",
        "ai.prompt",
        "ai.response",
        "ai.result",
        "ai.toolCall",
        "ai.usage",
        "ai.settings",
        "ai.embedding",
        "ai.embeddings",
        "ai.value",
        "ai.values",
    ),
    columns={
        "Operation": ("ai.operationId", "operation.name"),
        "Provider": ("ai.model.provider",),
        "RequestModel": ("ai.model.id",),
        "ResponseModel": ("ai.response.model",),
        "AgentName": ("ai.telemetry.functionId",),
        "ToolName": ("ai.toolCall.name",),
        "ToolCallId": ("ai.toolCall.id",),
        "ConversationId": (
            "ai.telemetry.metadata.sessionId",
            "ai.telemetry.metadata.session_id",
            "ai.telemetry.metadata.conversationId",
            "ai.telemetry.metadata.threadId",
        ),
        "UserId": ("ai.telemetry.metadata.userId", "ai.telemetry.metadata.user_id"),
        "InputTokens": (
            "ai.usage.inputTokens",
            "ai.usage.promptTokens",
            only("embedding", "ai.usage.tokens"),
        ),
        "OutputTokens": ("ai.usage.outputTokens", "ai.usage.completionTokens"),
        "CacheReadTokens": (
            "ai.usage.cachedInputTokens",
            "ai.usage.inputTokenDetails.cacheReadTokens",
            inside(_METADATA, "anthropic", "usage", "cache_read_input_tokens"),
            inside(_METADATA, "bedrock", "usage", "cacheReadInputTokens"),
            inside(_METADATA, "openai", "cachedPromptTokens"),
        ),
        "CacheWriteTokens": (
            "ai.usage.inputTokenDetails.cacheWriteTokens",
            inside(_METADATA, "anthropic", "usage", "cache_creation_input_tokens"),
            inside(_METADATA, "anthropic", "cacheCreationInputTokens"),
            inside(_METADATA, "bedrock", "usage", "cacheWriteInputTokens"),
        ),
        "ReasoningTokens": (
            "ai.usage.reasoningTokens",
            "ai.usage.outputTokenDetails.reasoningTokens",
        ),
        "TotalTokens": (
            "ai.usage.totalTokens",
            inside(_METADATA, "bedrock", "usage", "totalTokens"),
        ),
        # What Anthropic and Bedrock call input excludes the cache; SDK 4 copied it into the total as it was.
        "UncachedInputTokens": (
            inside(_METADATA, "anthropic", "usage", "input_tokens"),
            inside(_METADATA, "bedrock", "usage", "inputTokens"),
        ),
        "FinishReasons": ("ai.response.finishReason", "ai.finishReason"),
        "Temperature": ("ai.settings.temperature",),
        "TopP": ("ai.settings.topP",),
        "TopK": ("ai.settings.topK",),
        "MaxTokens": ("ai.settings.maxOutputTokens", "ai.settings.maxTokens"),
        "FrequencyPenalty": ("ai.settings.frequencyPenalty",),
        "PresencePenalty": ("ai.settings.presencePenalty",),
        "ResponseId": ("ai.response.id",),
        "InputMessages": ("ai.prompt.messages", "ai.prompt"),
        "OutputMessages": ("ai.response.toolCalls",),
        "ToolDefinitions": ("ai.prompt.tools",),
        "ToolArguments": ("ai.toolCall.args", "ai.toolCall.input"),
        "ToolResult": ("ai.toolCall.result", "ai.toolCall.output"),
        "Input": ("ai.value", "ai.values"),
        "Output": ("ai.response.text", "ai.response.object", "ai.result.text", "ai.result.object"),
    },
    classes={
        key: {
            # The outer span repeats what its do… children used: an agent, so its usage is an aggregate.
            "ai.generatetext": "agent",
            "ai.streamtext": "agent",
            "ai.generateobject": "agent",
            "ai.streamobject": "agent",
            "ai.agent": "agent",
            "generatetext": "agent",
            "streamtext": "agent",
            "generateobject": "agent",
            "streamobject": "agent",
            "ai.generatetext.dogenerate": "llm",
            "ai.streamtext.dostream": "llm",
            "ai.generateobject.dogenerate": "llm",
            "ai.streamobject.dostream": "llm",
            "ai.embed": "step",
            "ai.embedmany": "step",
            "ai.embed.doembed": "embedding",
            "ai.embedmany.doembed": "embedding",
            "ai.rerank": "step",
            "ai.rerank.dorerank": "rerank",
            "ai.toolcall": "tool",
        }
        for key in ("ai.operationId", "operation.name")
    },
    presence={"ai.toolCall.name": "tool", "ai.response.text": "llm", "ai.prompt.messages": "llm"},
)
