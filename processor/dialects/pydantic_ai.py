"""Pydantic AI (formats 1 to 6) and Logfire's own integrations (section 2.4)."""

from spanloop.processor.rules import Dialect

PYDANTIC_AI = Dialect(
    name="pydantic_ai",
    scopes=("pydantic-ai",),
    markers=("pydantic_ai.all_messages", "all_messages_events", "model_request_parameters"),
    columns={
        "RequestModel": ("model_name",),
        "AgentName": ("agent_name",),
        "AggregateInputTokens": ("gen_ai.aggregated_usage.input_tokens",),
        "AggregateOutputTokens": ("gen_ai.aggregated_usage.output_tokens",),
        "ReportedCost": ("operation.cost",),
        "InputMessages": ("pydantic_ai.all_messages", "all_messages_events", "events"),
        "ToolArguments": ("tool_arguments",),
        "ToolResult": ("tool_response",),
        "Output": ("final_result",),
    },
    presence={
        "tool_arguments": "tool",
        "pydantic_ai.all_messages": "agent",
        "all_messages_events": "agent",
        "final_result": "agent",
        "tools": "step",  # "running 2 tools": the batch, beside a span for each call
    },
)

LOGFIRE = Dialect(
    name="logfire",
    scope_prefixes=(
        "logfire.openai",
        "logfire.anthropic",
        "logfire.google_genai",
        "logfire.litellm",
        "logfire.mcp",
        "logfire.openai_agents",
    ),
    named_by=("logfire",),
)
