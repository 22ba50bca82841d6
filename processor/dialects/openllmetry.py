"""OpenLLMetry / Traceloop (section 2.3; opentelemetry-semantic-conventions-ai 0.5.1)."""

from spanloop.processor.rules import Dialect, Envelope, only

_INSTRUMENTATIONS = (
    "openai.v0",
    "openai.v1",
    "openai_agents",
    "anthropic",
    "cohere",
    "langchain",
    "llamaindex",
    "crewai",
    "bedrock",
    "sagemaker",
    "mistralai",
    "ollama",
    "replicate",
    "together",
    "transformers",
    "vertexai",
    "voyageai",
    "watsonx",
    "writer",
    "haystack",
    "alephalpha",
    "groq",
    "google_generativeai",
    "agno",
)

_ARGUMENTS = ("gen_ai.tool.call.arguments", "traceloop.entity.input")
_RESULT = ("gen_ai.tool.call.result", "traceloop.entity.output")

OPENLLMETRY = Dialect(
    name="openllmetry",
    # The same prefix as OTel's own instrumentations, so the names of its packages are listed.
    named_by=tuple(f"opentelemetry.instrumentation.{name}" for name in _INSTRUMENTATIONS),
    scopes=("traceloop.tracer",),
    # Not traceloop.association.* and traceloop.workflow.*: its span processor puts them on every span.
    markers=(
        "traceloop.span",
        "traceloop.entity.name",
        "traceloop.entity.input",
        "traceloop.entity.output",
        "llm.request",
        "llm.usage",
        "llm.is_streaming",
        "mcp.request",
        "mcp.response",
        "gen_ai.prompt.0.role",
        "gen_ai.prompt.0.content",
        "gen_ai.completion.0.content",
    ),
    columns={
        "Operation": ("llm.request.type", "traceloop.span.kind"),
        "AgentName": (
            only(("agent", "workflow"), "traceloop.entity.name"),
            "traceloop.workflow.name",
        ),
        "ToolName": (only("tool", "traceloop.entity.name"),),
        "ConversationId": (
            "traceloop.association.properties.session_id",
            "traceloop.association.properties.thread_id",
            "traceloop.association.properties.conversation_id",
            "traceloop.association.properties.chat_id",
        ),
        "UserId": (
            "traceloop.association.properties.user_id",
            "traceloop.association.properties.customer_id",
            "llm.user",
        ),
        "TotalTokens": ("llm.usage.total_tokens",),
        "FinishReasons": (
            "llm.response.finish_reason",
            "llm.response.stop_reason",
            "gen_ai.response.finish_reason",
            "gen_ai.response.stop_reason",
            "gen_ai.completion.0.finish_reason",
        ),
        "StopSequences": ("llm.chat.stop_sequences",),
        "TopK": ("llm.top_k",),
        "FrequencyPenalty": ("llm.frequency_penalty", "gen_ai.frequency_penalty"),
        "PresencePenalty": ("llm.presence_penalty", "gen_ai.presence_penalty"),
        "PromptName": ("traceloop.prompt.key",),
        "PromptVersion": ("traceloop.prompt.version",),
        "ToolDefinitions": ("llm.request.functions",),
        "ToolArguments": ("mcp.request.argument", only("tool", "traceloop.entity.input")),
        "ToolResult": ("mcp.response.value", only("tool", "traceloop.entity.output")),
        "Input": ("traceloop.entity.input", "gen_ai.task.input"),
        "Output": ("traceloop.entity.output", "gen_ai.task.output"),
    },
    classes={
        # A task is a step; the Collector's normaliser says invoke_agent.
        "traceloop.span.kind": {
            "workflow": "workflow",
            "task": "step",
            "agent": "agent",
            "tool": "tool",
        },
        "llm.request.type": {
            "chat": "llm",
            "completion": "llm",
            "embedding": "embedding",
            "rerank": "rerank",
            "unknown": "other",
        },
    },
    presence={
        "mcp.request.argument": "tool",
        "gen_ai.prompt.0.role": "llm",
        "gen_ai.prompt.0.content": "llm",
        "gen_ai.completion.0.content": "llm",
        "gen_ai.usage.prompt_tokens": "llm",
        "gen_ai.usage.completion_tokens": "llm",
    },
    indexed={
        "gen_ai.prompt.": "InputMessages",
        "gen_ai.completion.": "OutputMessages",
        "llm.request.functions.": "ToolDefinitions",
    },
    envelopes=(
        # LangChain callback payloads around a tool call: the parsed arguments, or their printed form.
        Envelope(
            column="ToolArguments", keys=_ARGUMENTS, starts='{"input_str": ', path=("inputs",)
        ),
        Envelope(
            column="ToolArguments", keys=_ARGUMENTS, starts='{"input_str": ', path=("input_str",)
        ),
        Envelope(
            column="ToolResult",
            keys=_RESULT,
            starts='{"output": {"lc": ',
            path=("output", "kwargs", "content"),
        ),
    ),
)
