"""Google Agent Development Kit (section 2.4; google-adk 2.13.0)."""

from spanloop.processor.rules import Dialect, inside

_REQUEST = "gcp.vertex.agent.llm_request"
_RESPONSE = "gcp.vertex.agent.llm_response"
_ABSENT = ("{}", "N/A")

GOOGLE_ADK = Dialect(
    name="google_adk",
    scopes=("gcp.vertex.agent",),
    markers=("gcp.vertex",),
    columns={
        "RequestModel": (inside(_REQUEST, "model"),),
        "ConversationId": ("gcp.vertex.agent.session_id",),
        "InputTokens": (inside(_RESPONSE, "usage_metadata", "prompt_token_count"),),
        "OutputTokens": (inside(_RESPONSE, "usage_metadata", "candidates_token_count"),),
        "CacheReadTokens": (inside(_RESPONSE, "usage_metadata", "cached_content_token_count"),),
        "ReasoningTokens": (inside(_RESPONSE, "usage_metadata", "thoughts_token_count"),),
        "TotalTokens": (inside(_RESPONSE, "usage_metadata", "total_token_count"),),
        "FinishReasons": (inside(_RESPONSE, "finish_reason"),),
        "SystemInstructions": (inside(_REQUEST, "config", "system_instruction"),),
        "InputMessages": (inside(_REQUEST, "contents"),),
        "OutputMessages": (inside(_RESPONSE, "content"),),
        "ToolDefinitions": (inside(_REQUEST, "config", "tools"),),
        "ToolArguments": ("gcp.vertex.agent.tool_call_args",),
        "ToolResult": ("gcp.vertex.agent.tool_response",),
        "Input": (_REQUEST, "gcp.vertex.agent.data"),
        "Output": (_RESPONSE,),
    },
    presence={"gcp.vertex.agent.tool_call_args": "tool", _REQUEST: "llm"},
    span_names={
        "invocation": "workflow",
        "agent_run": "agent",
        "invoke_agent": "agent",
        "call_llm": "llm",
        "execute_tool": "tool",
        "send_data": "step",
    },
    absent={
        _REQUEST: _ABSENT,
        _RESPONSE: _ABSENT,
        "gcp.vertex.agent.tool_call_args": ("N/A",),
        "gcp.vertex.agent.tool_response": ("N/A",),
        "gcp.vertex.agent.data": _ABSENT,
    },
)
