"""Langfuse SDK 2 to 4 (section 2.4; langfuse packages/shared/src/server/otel/attributes.ts)."""

from spanloop.processor.rules import Dialect, Source, inside

_USAGE = "langfuse.observation.usage_details"
_COST = "langfuse.observation.cost_details"
_PARAMETERS = ("langfuse.observation.model.parameters", "langfuse.observation.model_parameters")


def _parameter(*names: str) -> tuple[Source, ...]:
    return tuple(inside(key, name) for key in _PARAMETERS for name in names)


LANGFUSE = Dialect(
    name="langfuse",
    scopes=("langfuse-sdk",),
    # Not langfuse.trace.*, .environment or .release: its span processor puts them on every span.
    markers=("langfuse.observation",),
    columns={
        "Operation": ("langfuse.observation.type",),
        "RequestModel": ("langfuse.observation.model.name",),
        "ConversationId": ("langfuse.session.id", "langfuse.metadata.langfuse_session_id"),
        "UserId": ("langfuse.user.id", "langfuse.metadata.langfuse_user_id"),
        "Release": ("langfuse.release",),
        # Langfuse's own buckets are disjoint; OpenAI's names arrive as OpenAI counts them.
        "UncachedInputTokens": (inside(_USAGE, "input"),),
        "InputTokens": (
            inside(_USAGE, "input"),
            inside(_USAGE, "input_tokens"),
            inside(_USAGE, "prompt_tokens"),
        ),
        "OutputTokens": (
            inside(_USAGE, "output"),
            inside(_USAGE, "output_tokens"),
            inside(_USAGE, "completion_tokens"),
        ),
        "CacheReadTokens": (
            inside(_USAGE, "input_cached_tokens"),
            inside(_USAGE, "input_cache_read"),
            inside(_USAGE, "cache_read_input_tokens"),
            inside(_USAGE, "cached_input"),
            inside(_USAGE, "prompt_tokens_details", "cached_tokens"),
        ),
        "CacheWriteTokens": (
            inside(_USAGE, "input_cache_creation"),
            inside(_USAGE, "cache_creation_input_tokens"),
        ),
        "ReasoningTokens": (
            inside(_USAGE, "output_reasoning_tokens"),
            inside(_USAGE, "output_reasoning"),
            inside(_USAGE, "completion_tokens_details", "reasoning_tokens"),
        ),
        "TotalTokens": (inside(_USAGE, "total"), inside(_USAGE, "total_tokens")),
        "ReportedCost": (inside(_COST, "total"),),
        "CostDetails": (_COST,),
        "StatusText": ("langfuse.observation.status_message",),
        "Level": ("langfuse.observation.level",),
        "Temperature": _parameter("temperature"),
        "TopP": _parameter("top_p"),
        "MaxTokens": _parameter("max_tokens", "max_completion_tokens"),
        "FrequencyPenalty": _parameter("frequency_penalty"),
        "PresencePenalty": _parameter("presence_penalty"),
        "PromptName": ("langfuse.observation.prompt.name", "langfuse.prompt.name"),
        "PromptVersion": ("langfuse.observation.prompt.version", "langfuse.prompt.version"),
        "ToolArguments": (Source("langfuse.observation.input", classes=("tool",)),),
        "ToolResult": (Source("langfuse.observation.output", classes=("tool",)),),
        "RetrievalQuery": (Source("langfuse.observation.input", classes=("retrieval",)),),
        "RetrievalDocuments": (Source("langfuse.observation.output", classes=("retrieval",)),),
        "InputMessages": (Source("langfuse.observation.input", classes=("llm",)),),
        "OutputMessages": (Source("langfuse.observation.output", classes=("llm",)),),
        "Input": ("langfuse.observation.input", "langfuse.trace.input"),
        "Output": ("langfuse.observation.output", "langfuse.trace.output"),
    },
    classes={
        "langfuse.observation.type": {
            "generation": "llm",
            "embedding": "embedding",
            "tool": "tool",
            "agent": "agent",
            "retriever": "retrieval",
            "chain": "step",
            "span": "step",
            "guardrail": "guardrail",
            "evaluator": "evaluation",
            "event": "other",
        }
    },
    presence={"langfuse.observation.model.name": "llm"},
)
