"""Chat with tools: the port, plain messages, and litellm behind it."""

import asyncio
import hashlib
import importlib
import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, cast, runtime_checkable

from spanloop.optimizer.models.litellm_model import import_litellm, price
from spanloop.optimizer.models.port import ModelFailure, ModelSettings

Parameters = Mapping[str, float | int | bool | str]
SENT = (
    "temperature",
    "top_p",
    "max_tokens",
    "frequency_penalty",
    "presence_penalty",
    "reasoning_effort",
    "parallel_tool_calls",
)
"""Parameters of a configuration that go to the model; the others are the loop's own."""
DEFAULT_MAX_TOKENS = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call the model asks for; ``arguments`` is JSON text as it wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message; ``tool_call_id`` names the call that a tool message answers."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTool:
    """An offered tool; ``parameters`` is JSON Schema text."""

    name: str
    description: str = ""
    parameters: str = "{}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatReply:
    """One answer; None where the provider did not say.

    Attributes:
        took_s: seconds from the request to the answer, without waiting for its turn.
        cached: it was paid for earlier; its tokens, cost and time are those of then.
    """

    message: Message
    model: str
    finish_reason: str | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost_usd: float | None = None
    took_s: float | None = None
    cached: bool = False


class ChatModel(Protocol):
    """A language model that holds a conversation and may call tools."""

    @property
    def name(self) -> str:
        """What it is called, the provider in front."""
        ...

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ChatTool],
        parameters: Parameters,
        *,
        nonce: str,
    ) -> ChatReply:
        """Answer a conversation; ``nonce`` tells apart calls that are to be drawn anew.

        Raises:
            ModelFailure: the call failed.
            BudgetExhausted: it was not made.
        """
        ...

    def price_at_most(
        self, messages: Sequence[Message], tools: Sequence[ChatTool], parameters: Parameters
    ) -> float | None:
        """US dollars that the call can cost at most; None where the price is unknown."""
        ...


@runtime_checkable
class Closeable(Protocol):
    """What holds connections of an event loop."""

    async def aclose(self) -> None:
        """Close those of the running one; it may be used again in another."""
        ...


async def close_connections(thing: object) -> None:
    """Close what ``thing`` holds in the running event loop, if it is one that holds any."""
    if isinstance(thing, Closeable):
        await thing.aclose()


class LiteLlmChat:
    """Any provider that litellm reaches."""

    def __init__(self, settings: ModelSettings) -> None:
        self._settings = settings
        self._litellm = import_litellm()
        self._error: type[Exception] = importlib.import_module("openai").OpenAIError

    @property
    def name(self) -> str:
        """Its name as litellm knows it."""
        return self._settings.model

    async def complete(
        self,
        messages: Sequence[Message],
        tools: Sequence[ChatTool],
        parameters: Parameters,
        *,
        nonce: str,
    ) -> ChatReply:
        """Answer a conversation.

        Raises:
            ModelFailure: the provider's error, without its text, which may quote the conversation.
        """
        settings = self._settings
        optional = {
            "api_base": settings.api_base,
            "api_key": settings.api_key,
            "tools": [tool_body(tool) for tool in tools] or None,
        }
        try:
            async with asyncio.timeout(settings.timeout_s * (settings.max_retries + 1)):
                response = await self._litellm.acompletion(
                    model=settings.model,
                    messages=[message_body(message) for message in messages],
                    seed=int(hashlib.sha256(nonce.encode()).hexdigest()[:7], 16),
                    timeout=settings.timeout_s,
                    max_retries=settings.max_retries,
                    drop_params=True,
                    # With tools, litellm 1.106 else imports its MCP gateway, which needs an optional package.
                    _skip_mcp_handler=True,
                    **sent(parameters),
                    **{name: value for name, value in optional.items() if value is not None},
                )
        except TimeoutError:
            raise ModelFailure("timeout", f"{settings.model} took too long") from None
        except self._error as error:  # the root of every error litellm raises for a call
            kind = str(getattr(error, "status_code", None) or type(error).__name__)
            raise ModelFailure(kind, f"{settings.model} failed: {kind}") from None
        return self._read(response.model_dump())

    def _read(self, body: Mapping[str, Any]) -> ChatReply:
        usage: Mapping[str, Any] = body.get("usage") or {}
        tokens_in, tokens_out = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if not body.get("choices"):
            raise ModelFailure("empty", f"{self.name} answered without a choice")
        choice: Mapping[str, Any] = body["choices"][0]
        return ChatReply(
            message=_message(choice["message"]),
            model=str(body.get("model") or self.name),
            finish_reason=choice.get("finish_reason"),
            input_tokens=tokens_in,
            output_tokens=tokens_out,
            cost_usd=price(self._litellm, self.name, tokens_in, tokens_out),
        )

    def price_at_most(
        self, messages: Sequence[Message], tools: Sequence[ChatTool], parameters: Parameters
    ) -> float | None:
        """US dollars, by litellm's bundled price table."""
        answer = max_tokens(parameters)
        asked = tokens_at_most(messages, tools, parameters) - answer
        return price(self._litellm, self.name, asked, answer)

    async def aclose(self) -> None:
        """Close connections of the running event loop."""
        await self._litellm.close_litellm_async_clients()
        # Kept by the loop's id, which the next loop may have: it would be given a closed client. Those of
        # blocking calls stay: they are open, and other threads' too.
        kept = self._litellm.in_memory_llm_clients_cache
        for key, client in list(kept.cache_dict.items()):
            if inspect.iscoroutinefunction(getattr(client, "close", None)):
                kept.cache_dict.pop(key, None)
                kept.ttl_dict.pop(key, None)


def sent(parameters: Parameters) -> dict[str, float | int | bool | str]:
    """Return what of a configuration's parameters goes to the model."""
    known = {name: parameters[name] for name in SENT if name in parameters}
    return {"max_tokens": DEFAULT_MAX_TOKENS, **known}


def max_tokens(parameters: Parameters) -> int:
    """Return the most tokens an answer may have."""
    return int(parameters.get("max_tokens", DEFAULT_MAX_TOKENS))


def tokens_at_most(
    messages: Sequence[Message], tools: Sequence[ChatTool], parameters: Parameters
) -> int:
    """Return an upper bound of a call's tokens: none stands for less than a byte of UTF-8."""
    said = sum(len(json.dumps(message_body(m), ensure_ascii=False).encode()) for m in messages)
    offered = sum(len(json.dumps(tool_body(t), ensure_ascii=False).encode()) for t in tools)
    return said + offered + max_tokens(parameters)


def message_body(message: Message) -> dict[str, Any]:
    """Return ``message`` as the chat-completions protocol has it."""
    body: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_calls:
        body["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    if message.role == "tool":
        body["tool_call_id"] = message.tool_call_id
    return body


def tool_body(tool: ChatTool) -> dict[str, Any]:
    """Return ``tool`` as the chat-completions protocol has it."""
    schema: Any
    try:
        schema = json.loads(tool.parameters)
    except ValueError:  # as recorded; a schema that is none says nothing of the arguments
        schema = None
    taken = isinstance(schema, dict) and cast(Mapping[str, Any], schema).get("type") == "object"
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": schema if taken else {"type": "object", "properties": {}},
        },
    }


def _message(body: Mapping[str, Any]) -> Message:
    return Message(
        role="assistant",
        content=body.get("content"),
        tool_calls=tuple(
            ToolCall(
                id=str(call.get("id") or ""),
                name=str(call["function"].get("name") or ""),
                arguments=str(call["function"].get("arguments") or "{}"),
            )
            for call in body.get("tool_calls") or ()
        ),
    )
