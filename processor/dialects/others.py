"""Dialects of few keys, from MLflow to OpenRouter.

Section 2.4 of the note; each row there names the file that was read.
"""

from spanloop.processor.rules import Dialect, inside, only

_TOKENS = "mlflow.chat.tokenUsage"
MLFLOW = Dialect(
    name="mlflow",
    markers=(
        "mlflow.spanType",
        "mlflow.spanInputs",
        "mlflow.spanOutputs",
        "mlflow.chat",
        "mlflow.llm",
    ),
    # Values are JSON-encoded strings.
    columns={
        "Operation": (inside("mlflow.spanType"),),
        "Provider": (inside("mlflow.llm.provider"),),
        "RequestModel": (inside("mlflow.llm.model"),),
        "ConversationId": (inside("mlflow.trace.session"),),
        "UserId": (inside("mlflow.trace.user"),),
        "InputTokens": (inside(_TOKENS, "input_tokens"),),
        "OutputTokens": (inside(_TOKENS, "output_tokens"),),
        "CacheReadTokens": (inside(_TOKENS, "cache_read_input_tokens"),),
        "CacheWriteTokens": (inside(_TOKENS, "cache_creation_input_tokens"),),
        "TotalTokens": (inside(_TOKENS, "total_tokens"),),
        "ReportedCost": (inside("mlflow.llm.cost", "total_cost"),),
        "ToolDefinitions": ("mlflow.chat.tools",),
        "ToolArguments": (only("tool", "mlflow.spanInputs"),),
        "ToolResult": (only("tool", "mlflow.spanOutputs"),),
        "Input": ("mlflow.spanInputs",),
        "Output": ("mlflow.spanOutputs",),
    },
    classes={
        "mlflow.spanType": {
            "llm": "llm",
            "chat_model": "llm",
            "embedding": "embedding",
            "retriever": "retrieval",
            "reranker": "rerank",
            "tool": "tool",
            "agent": "agent",
            "workflow": "workflow",
            "chain": "step",
            "task": "step",
            "parser": "step",
            "memory": "memory",
            "guardrail": "guardrail",
            "evaluator": "evaluation",
            "unknown": "other",
        }
    },
)

_OUT = "genkit:output"
GENKIT = Dialect(
    name="genkit",
    scopes=("genkit-tracer",),
    markers=(
        "genkit:type",
        "genkit:name",
        "genkit:input",
        "genkit:output",
        "genkit:metadata:subtype",
    ),
    columns={
        "Operation": ("genkit:metadata:subtype", "genkit:type"),
        "RequestModel": (only(("llm", "embedding", "rerank"), "genkit:name"),),
        "ToolName": (only("tool", "genkit:name"),),
        "AgentName": (only(("agent", "workflow"), "genkit:name"),),
        "InputTokens": (inside(_OUT, "usage", "inputTokens"),),
        "OutputTokens": (inside(_OUT, "usage", "outputTokens"),),
        "CacheReadTokens": (inside(_OUT, "usage", "cachedContentTokens"),),
        "ReasoningTokens": (inside(_OUT, "usage", "thoughtsTokens"),),
        "TotalTokens": (inside(_OUT, "usage", "totalTokens"),),
        "FinishReasons": (inside(_OUT, "finishReason"),),
        "ToolArguments": (only("tool", "genkit:input"),),
        "ToolResult": (only("tool", _OUT),),
        "Input": ("genkit:input",),
        "Output": ("genkit:output",),
    },
    classes={
        "genkit:metadata:subtype": {
            "model": "llm",
            "background-model": "llm",
            "embedder": "embedding",
            "retriever": "retrieval",
            "reranker": "rerank",
            "tool": "tool",
            "agent": "agent",
            "flow": "workflow",
            "evaluator": "evaluation",
            "util": "step",
            "prompt": "step",
        },
        "genkit:type": {
            "flow": "workflow",
            "flowstep": "step",
            "util": "step",
            "promptTemplate": "step",
        },
    },
)

LIVEKIT = Dialect(
    name="livekit",
    scopes=("livekit-agents",),
    markers=(
        "lk.user_input",
        "lk.chat_ctx",
        "lk.response",
        "lk.function_tool",
        "lk.agent_name",
        "lk.input_text",
    ),
    columns={
        "AgentName": ("lk.agent_name",),
        "ToolName": ("lk.function_tool.name",),
        "ToolCallId": ("lk.function_tool.id",),
        "ToolArguments": ("lk.function_tool.arguments",),
        "ToolResult": ("lk.function_tool.output",),
        "InputMessages": ("lk.chat_ctx",),
        "OutputMessages": ("lk.response.function_calls",),
        "Input": ("lk.user_input", "lk.user_transcript", "lk.input_text"),
        "Output": ("lk.response.text",),
    },
    presence={"lk.function_tool.name": "tool", "lk.function_tool.output": "tool"},
    span_names={
        "agent_session": "workflow",
        "agent_turn": "agent",
        "user_turn": "step",
        "function_tool": "tool",
        "llm_request": "llm",
        "llm_node": "step",
        "tts_node": "step",
        "tts_request": "other",
        "eou_detection": "other",
    },
)

SEMANTIC_KERNEL = Dialect(
    name="semantic_kernel",
    scopes=("Microsoft.SemanticKernel",),
    scope_prefixes=("Microsoft.SemanticKernel.", "semantic_kernel."),
)

AGENT_FRAMEWORK = Dialect(
    name="agent_framework",
    scopes=("agent_framework",),
    scope_prefixes=(
        "Microsoft.Agents.AI",
        "Experimental.Microsoft.Agents.AI",
        "Experimental.Microsoft.Extensions.AI",
    ),
)

CLAUDE_CODE = Dialect(
    name="claude_code",
    services=("claude-code",),
    scope_prefixes=("com.anthropic.claude_code",),
    columns={
        "Operation": ("span.type",),
        "RequestModel": ("model",),
        # Its input_tokens excludes the cache.
        "UncachedInputTokens": ("input_tokens",),
        "OutputTokens": ("output_tokens",),
        "CacheReadTokens": ("cache_read_tokens",),
        "CacheWriteTokens": ("cache_creation_tokens",),
        "ToolName": ("tool_name",),
        "ToolArguments": ("tool_input",),
        "InputMessages": ("new_context",),
        "OutputMessages": ("response.model_output",),
        "Input": ("user_prompt",),
    },
    classes={
        "span.type": {
            "claude_code.interaction": "agent",
            "claude_code.llm_request": "llm",
            "claude_code.tool": "tool",
            "interaction": "agent",
            "llm_request": "llm",
            "tool": "tool",
            "tool.execution": "step",
            "tool.blocked_on_user": "step",
        }
    },
    span_names={
        "claude_code.interaction": "agent",
        "claude_code.llm_request": "llm",
        "claude_code.tool": "tool",
    },
    message_events=("tool.output",),
    absent=dict.fromkeys(
        ("user_prompt", "tool_input", "new_context", "response.model_output"), ("<REDACTED>",)
    ),
)

LAMINAR = Dialect(
    name="laminar",
    markers=("lmnr.span",),
    columns={
        "Operation": ("lmnr.span.type",),
        "ConversationId": ("lmnr.association.properties.session_id",),
        "UserId": ("lmnr.association.properties.user_id",),
        "Input": ("lmnr.span.input",),
        "Output": ("lmnr.span.output",),
    },
    classes={
        "lmnr.span.type": {
            "llm": "llm",
            "tool": "tool",
            "evaluator": "evaluation",
            "human_evaluator": "evaluation",
            "evaluation": "evaluation",
            "executor": "step",
            "default": "step",
            "pipeline": "workflow",
        }
    },
)

OPENROUTER = Dialect(
    name="openrouter",
    scopes=("openrouter",),
    columns={"ReportedCost": ("gen_ai.usage.total_cost",)},
)
