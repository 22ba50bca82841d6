"""GenAI spans as eight instrumentations write them, for load: names, attributes and events, no ids.

The text is pseudo-words drawn by Zipf's law, so it compresses about as badly as prose. `CONVERSATION` and
`RESPONSE` stand for ids of 16 hexadecimal digits that every request sent draws anew
(`benchmarks.ingest_spans`).
"""

import itertools
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["agent", "llm", "tool"]
Scalar = str | int | float | bool
Value = Scalar | list[str]
Attributes = dict[str, Value]

CONVERSATION = "\x01" * 16
RESPONSE = "\x02" * 16
# A trace: who does what. 1 agent, 6 model calls, 3 tool calls.
ROLES: tuple[Role, ...] = (
    "agent", "llm", "tool", "llm", "llm", "tool", "llm", "llm", "tool", "llm",
)  # fmt: skip
PROMPT_WORDS, ANSWER_WORDS, RESULT_WORDS = 130, 45, 140
MODELS = ("gpt-4o", "gpt-4o-mini", "claude-sonnet-4-20250514", "gemini-2.0-flash")
TOOLS = ("lookup_order", "search_catalogue", "refund_order", "send_message")


@dataclass(frozen=True, slots=True)
class Draft:
    """A span without ids and times."""

    name: str
    attributes: Attributes
    events: tuple[tuple[str, Attributes], ...] = (("gen_ai.first_token", {}),)


class Words:
    """Draws text and small values."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        letters = "aeiounrtlsdkmpb"
        self._vocabulary = [
            "".join(rng.choices(letters, k=rng.randrange(3, 10))) for _ in range(4000)
        ]
        ranks = range(1, len(self._vocabulary) + 1)
        self._weights = list(itertools.accumulate(1 / rank for rank in ranks))

    def text(self, n_words: int) -> str:
        """Return about ``n_words`` words."""
        spread = self.rng.randrange(n_words // 2, n_words * 3 // 2)
        return " ".join(self.rng.choices(self._vocabulary, cum_weights=self._weights, k=spread))

    def parts(self, role: str, n_words: int, **more: str) -> str:
        """Return messages in the form of OTel's ``gen_ai.input.messages``."""
        content = [{"type": "text", "content": self.text(n_words)}]
        return json.dumps([{"role": role, "parts": content, **more}])

    def one(self, choices: tuple[str, ...]) -> str:
        """Return one of ``choices``."""
        return self.rng.choice(choices)

    def number(self, below: int) -> int:
        """Return a number from 1."""
        return self.rng.randrange(1, below)

    def arguments(self) -> str:
        """Return the arguments of a tool call."""
        return json.dumps({"order_id": f"W{self.number(10**7)}", "reason": self.text(12)})


def _code(words: Words) -> Attributes:
    """What logging SDKs add to every span."""
    return {
        "thread.id": 140_000_000_000_000 + words.number(10**6),
        "thread.name": "asyncio_0",
        "code.filepath": "app/agents/support.py",
        "code.function": "run_turn",
        "code.lineno": words.number(400),
    }


def _genai(words: Words, operation: str) -> Attributes:
    model = words.one(MODELS)
    return {
        "gen_ai.operation.name": operation,
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": model,
        "gen_ai.response.model": model,
        "gen_ai.usage.input_tokens": words.number(5000),
        "gen_ai.usage.output_tokens": words.number(500),
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 1024,
        "gen_ai.response.id": "chatcmpl-" + RESPONSE,
        "gen_ai.conversation.id": CONVERSATION,
        "gen_ai.agent.name": "support",
        "user.id": f"u{words.number(1000)}",
        "server.address": "api.openai.com",
        "server.port": 443,
    }


def _genai_tool(words: Words, *, content: bool = True) -> Attributes:
    tool: Attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": words.one(TOOLS),
        "gen_ai.tool.call.id": "call_" + RESPONSE,
        "gen_ai.tool.type": "function",
        "gen_ai.tool.description": "Look up one order of the customer",
        "gen_ai.conversation.id": CONVERSATION,
        "gen_ai.agent.name": "support",
        "user.id": f"u{words.number(1000)}",
        "deployment.region": "eu-central",
        **_code(words),
    }
    if content:
        tool["gen_ai.tool.call.arguments"] = words.arguments()
        tool["gen_ai.tool.call.result"] = json.dumps({"text": words.text(RESULT_WORDS)})
    return tool


def otel(words: Words, role: Role) -> Draft:
    """OTel GenAI semantic conventions."""
    if role == "tool":
        tool = _genai_tool(words)
        return Draft(f"execute_tool {tool['gen_ai.tool.name']}", tool)
    operation = "invoke_agent" if role == "agent" else "chat"
    attributes = {
        **_genai(words, operation),
        "gen_ai.input.messages": words.parts("user", PROMPT_WORDS),
        "gen_ai.output.messages": words.parts("assistant", ANSWER_WORDS, finish_reason="stop"),
    }
    return Draft(f"{operation} {attributes['gen_ai.request.model']}", attributes)


def openinference(words: Words, role: Role) -> Draft:
    """Arize OpenInference: indexed flat keys."""
    shared: Attributes = {
        "openinference.span.kind": {"llm": "LLM", "tool": "TOOL", "agent": "AGENT"}[role],
        "session.id": CONVERSATION,
        "user.id": f"u{words.number(1000)}",
        "input.mime_type": "text/plain",
        "output.mime_type": "text/plain",
    }
    if role != "llm":
        return Draft(
            "support" if role == "agent" else "lookup_order",
            {
                **shared,
                ("agent.name" if role == "agent" else "tool.name"): "support",
                "tool.description": "Look up one order of the customer",
                "tool_call.id": "call_" + RESPONSE,
                "metadata": json.dumps({"turn": words.number(20)}),
                "input.value": words.arguments() if role == "tool" else words.text(PROMPT_WORDS),
                "output.value": words.text(RESULT_WORDS),
                **_code(words),
            },
        )
    tokens = words.number(4000)
    attributes: Attributes = {
        **shared,
        "llm.model_name": words.one(MODELS),
        "llm.provider": "openai",
        "llm.system": "openai",
        "llm.invocation_parameters": json.dumps({"temperature": 0.2, "max_tokens": 1024}),
        "llm.token_count.prompt": tokens,
        "llm.token_count.completion": 200,
        "llm.token_count.total": tokens + 200,
        "llm.finish_reason": "stop",
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": words.text(PROMPT_WORDS // 2),
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": words.text(PROMPT_WORDS // 2),
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": words.text(ANSWER_WORDS),
    }
    return Draft("ChatCompletion", attributes)


def openllmetry(words: Words, role: Role) -> Draft:
    """Traceloop OpenLLMetry: indexed flat keys under gen_ai."""
    shared: Attributes = {
        "traceloop.workflow.name": "support",
        "traceloop.association.properties.session_id": CONVERSATION,
        "traceloop.association.properties.user_id": f"u{words.number(1000)}",
    }
    if role != "llm":
        entity: Attributes = {
            **shared,
            "traceloop.span.kind": role,
            "traceloop.entity.name": words.one(TOOLS),
            "traceloop.entity.path": "support.turn",
            "traceloop.entity.version": 1,
            "traceloop.entity.input": json.dumps({"inputs": {"text": words.text(60)}}),
            "traceloop.entity.output": json.dumps({"text": words.text(RESULT_WORDS)}),
            "deployment.region": "eu-central",
            **_code(words),
        }
        return Draft(f"{entity['traceloop.entity.name']}.{role}", entity)
    attributes: Attributes = {
        **shared,
        "gen_ai.system": "openai",
        "llm.request.type": "chat",
        "llm.is_streaming": False,
        "llm.usage.total_tokens": 2048,
        "gen_ai.request.model": words.one(MODELS),
        "gen_ai.response.model": words.one(MODELS),
        "gen_ai.response.id": "chatcmpl-" + RESPONSE,
        "gen_ai.usage.input_tokens": words.number(5000),
        "gen_ai.usage.output_tokens": words.number(500),
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": words.text(PROMPT_WORDS),
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": words.text(ANSWER_WORDS),
        "gen_ai.completion.0.finish_reason": "stop",
    }
    return Draft("openai.chat", attributes)


def vercel(words: Words, role: Role) -> Draft:
    """Vercel AI SDK 4-6."""
    operation = {
        "agent": "ai.generateText",
        "llm": "ai.generateText.doGenerate",
        "tool": "ai.toolCall",
    }[role]
    shared: Attributes = {
        "operation.name": f"{operation} support",
        "ai.operationId": operation,
        "ai.telemetry.functionId": "support",
        "ai.telemetry.metadata.sessionId": CONVERSATION,
        "ai.telemetry.metadata.userId": f"u{words.number(1000)}",
    }
    if role == "tool":
        call: Attributes = {
            **shared,
            "ai.toolCall.name": words.one(TOOLS),
            "ai.toolCall.id": "call_" + RESPONSE,
            "ai.toolCall.args": words.arguments(),
            "ai.toolCall.result": json.dumps({"text": words.text(RESULT_WORDS)}),
            **_code(words),
        }
        return Draft(operation, call)
    model = words.one(MODELS)
    attributes: Attributes = {
        **shared,
        "ai.model.id": model,
        "ai.model.provider": "openai.chat",
        "ai.settings.maxOutputTokens": 1024,
        "ai.settings.temperature": 0.2,
        "ai.prompt.messages": json.dumps([{"role": "user", "content": words.text(PROMPT_WORDS)}]),
        "ai.response.text": words.text(ANSWER_WORDS),
        "ai.response.finishReason": "stop",
        "ai.response.id": "chatcmpl-" + RESPONSE,
        "ai.response.model": model,
        "ai.usage.inputTokens": words.number(5000),
        "ai.usage.outputTokens": words.number(500),
        "ai.usage.cachedInputTokens": words.number(100),
    }
    return Draft(operation, attributes)


def pydantic_ai(words: Words, role: Role) -> Draft:
    """Pydantic AI with Logfire's attributes."""
    if role == "tool":
        tool = _genai_tool(words, content=False)
        tool["tool_arguments"] = words.arguments()
        tool["tool_response"] = json.dumps({"text": words.text(RESULT_WORDS)})
        return Draft("running tool", tool)
    attributes = _genai(words, "invoke_agent" if role == "agent" else "chat")
    for key in ("server.address", "server.port", "gen_ai.request.max_tokens"):
        del attributes[key]
    attributes["operation.cost"] = words.number(1000) / 1e5
    attributes["logfire.msg"] = "support run"
    attributes["model_request_parameters"] = json.dumps({"function_tools": list(TOOLS)})
    if role == "agent":
        attributes["agent_name"] = "support"
        attributes["final_result"] = words.text(ANSWER_WORDS)
        attributes["pydantic_ai.all_messages"] = words.parts("user", PROMPT_WORDS)
    else:
        attributes["gen_ai.input.messages"] = words.parts("user", PROMPT_WORDS)
        attributes["gen_ai.output.messages"] = words.parts("assistant", ANSWER_WORDS)
    return Draft("agent run" if role == "agent" else "chat gpt-4o", attributes)


def strands(words: Words, role: Role) -> Draft:
    """Strands Agents: the content is on span events (two of them)."""
    attributes = _genai_tool(words, content=False) if role == "tool" else _genai(words, "chat")
    attributes["event_loop.cycle_id"] = RESPONSE
    attributes["gen_ai.agent.tools"] = json.dumps(list(TOOLS))
    asked = "gen_ai.tool.message" if role == "tool" else "gen_ai.user.message"
    question: Attributes = {"role": "user", "content": words.text(PROMPT_WORDS)}
    answer: Attributes = {"message": words.text(ANSWER_WORDS), "finish_reason": "end_turn"}
    name = {"agent": "invoke_agent support", "llm": "chat", "tool": "execute_tool lookup_order"}
    return Draft(name[role], attributes, ((asked, question), ("gen_ai.choice", answer)))


def google_adk(words: Words, role: Role) -> Draft:
    """Google ADK: whole requests and responses as JSON text."""
    attributes: Attributes = {
        "gen_ai.system": "gcp.vertex.agent",
        "gen_ai.operation.name": {"agent": "invoke_agent", "llm": "call_llm"}.get(
            role, "execute_tool"
        ),
        "gcp.vertex.agent.session_id": CONVERSATION,
        "gcp.vertex.agent.invocation_id": "e-" + RESPONSE,
        "gcp.vertex.agent.event_id": RESPONSE,
        "user.id": f"u{words.number(1000)}",
        "gen_ai.agent.name": "support",
        "deployment.region": "eu-central",
        **_code(words),
    }
    if role == "tool":
        attributes["gen_ai.tool.name"] = words.one(TOOLS)
        attributes["gcp.vertex.agent.tool_call_args"] = words.arguments()
        attributes["gcp.vertex.agent.tool_response"] = json.dumps({"r": words.text(RESULT_WORDS)})
        return Draft("execute_tool lookup_order", attributes)
    contents = [{"role": "user", "parts": [{"text": words.text(PROMPT_WORDS)}]}]
    request = {"model": words.one(MODELS), "config": {"temperature": 0.2}, "contents": contents}
    usage = {"prompt_token_count": words.number(5000), "candidates_token_count": 200}
    content = {"role": "model", "parts": [{"text": words.text(ANSWER_WORDS)}]}
    response = {"content": content, "finish_reason": "STOP", "usage_metadata": usage}
    attributes["gen_ai.request.model"] = words.one(MODELS)
    attributes["gcp.vertex.agent.llm_request"] = json.dumps(request)
    attributes["gcp.vertex.agent.llm_response"] = json.dumps(response)
    return Draft("call_llm" if role == "llm" else "invoke_agent support", attributes)


def litellm(words: Words, role: Role) -> Draft:
    """LiteLLM's OpenTelemetry callback."""
    if role == "tool":
        return Draft("execute_tool lookup_order", _genai_tool(words))
    attributes = _genai(words, "chat")
    del attributes["gen_ai.conversation.id"]
    attributes["metadata.session_id"] = CONVERSATION
    attributes["gen_ai.cost.total_cost"] = words.number(1000) / 1e5
    attributes["gen_ai.prompt.0.content"] = words.text(PROMPT_WORDS)
    attributes["gen_ai.completion.0.content"] = words.text(ANSWER_WORDS)
    return Draft("litellm_request", attributes)


DIALECTS: Mapping[str, Callable[[Words, Role], Draft]] = {
    "opentelemetry.util.genai.handler": otel,
    "openinference.instrumentation.openai": openinference,
    "opentelemetry.instrumentation.openai.v1": openllmetry,
    "ai": vercel,
    "pydantic-ai": pydantic_ai,
    "strands.telemetry.tracer": strands,
    "gcp.vertex.agent": google_adk,
    "litellm": litellm,
}
"""Instrumentation scope → what it writes: every dialect that spanloop must know."""
