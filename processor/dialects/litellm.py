"""LiteLLM's OpenTelemetry callback and proxy (section 2.4; BerriAI/litellm#27418)."""

from spanloop.processor.rules import Dialect

LITELLM = Dialect(
    name="litellm",
    named_by=("litellm",),
    scope_prefixes=("litellm.",),
    markers=(
        "llm.openai",
        "llm.anthropic",
    ),  # keys of the raw request span, "llm.<provider>.<field>"
    columns={
        "ConversationId": ("metadata.session_id", "metadata.trace_session_id"),
        "UserId": (
            "metadata.user_api_key_end_user_id",
            "gen_ai.request.user",
            "metadata.user_api_key_user_id",
        ),
        "ReportedCost": ("gen_ai.cost.total_cost",),
        "FinishReasons": ("gen_ai.completion.0.finish_reason",),
    },
    # The same call once more, as it went to the provider: kept, not counted.
    duplicates=("raw_gen_ai_request",),
)
