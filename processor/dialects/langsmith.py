"""LangSmith's OTel exporter (section 2.4; langsmith 0.15.0 ``_internal/otel/_otel_exporter.py``)."""

from spanloop.processor.rules import Dialect, inside

_INPUT = "gen_ai.usage.input_token_details"
_OUTPUT = "gen_ai.usage.output_token_details"

LANGSMITH = Dialect(
    name="langsmith",
    scopes=("langsmith",),
    markers=("langsmith.span", "langsmith.trace"),
    columns={
        "Operation": ("langsmith.span.kind",),
        "Provider": ("langsmith.metadata.ls_provider",),
        "RequestModel": ("langsmith.metadata.ls_model_name",),
        # Not langsmith.trace.session_id: that is the project.
        "ConversationId": (
            "langsmith.metadata.conversation_id",
            "langsmith.metadata.session_id",
            "langsmith.metadata.thread_id",
        ),
        "UserId": ("langsmith.metadata.user_id",),
        "CacheReadTokens": (inside(_INPUT, "cache_read"),),
        "CacheWriteTokens": (inside(_INPUT, "cache_creation"),),
        "ReasoningTokens": (inside(_OUTPUT, "reasoning"),),
        "Temperature": ("langsmith.metadata.ls_temperature",),
        "MaxTokens": ("langsmith.metadata.ls_max_tokens",),
    },
    classes={
        # Before the operation name: the exporter calls a retriever "embeddings".
        "langsmith.span.kind": {
            "llm": "llm",
            "embedding": "embedding",
            "retriever": "retrieval",
            "tool": "tool",
            "chain": "step",
            "prompt": "step",
            "parser": "step",
        }
    },
)
