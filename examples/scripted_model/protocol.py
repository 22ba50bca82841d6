"""The slice of the OpenAI chat-completions protocol that the scripted model speaks.

Requests are read leniently (unknown fields are ignored, as OpenAI-compatible servers do);
responses carry everything an SDK of 2025-2026 reads: ids, choices, tool calls, usage.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

SCRIPTED_MODEL = "scripted-support-1"
"""The only model the scripted server has; the name says what it is."""

CHARACTERS_PER_TOKEN = 4
"""Token counts are text length over this, rounded up: plausible, and said to be scripted."""

CREATED_AT_S = 1_767_225_600
"""Fixed `created` time (2026-01-01T00:00:00Z): the same request gives the same bytes."""


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class FunctionCall(_Lenient):
    """The function half of a tool call; arguments are JSON text."""

    name: str
    arguments: str = "{}"


class RequestToolCall(_Lenient):
    """A tool call the assistant made earlier in the conversation."""

    id: str
    function: FunctionCall


class RequestMessage(_Lenient):
    """One message of the request; content may be text, parts or absent."""

    role: str
    content: str | list[dict[str, Any]] | None = None
    tool_calls: list[RequestToolCall] | None = None
    tool_call_id: str | None = None

    @property
    def text(self) -> str:
        """The message's text, parts joined; empty when it has none."""
        if isinstance(self.content, str):
            return self.content
        return "".join(str(part.get("text", "")) for part in self.content or ())


class ToolFunction(_Lenient):
    """What the request says about one tool."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = Field(default_factory=dict[str, Any])


class RequestTool(_Lenient):
    """One offered tool."""

    type: Literal["function"] = "function"
    function: ToolFunction


class StreamOptions(_Lenient):
    """Whether the last chunk of a stream carries usage."""

    include_usage: bool = False


class ChatRequest(_Lenient):
    """A chat-completions request."""

    model: str
    messages: list[RequestMessage] = Field(min_length=1)
    tools: list[RequestTool] = Field(default_factory=list[RequestTool])
    tool_choice: Literal["auto", "none", "required"] | dict[str, Any] | None = None
    n: int = Field(default=1, ge=1, le=1)
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)

    @property
    def token_limit(self) -> int | None:
        """Most tokens the reply may have, None without a limit."""
        return self.max_completion_tokens or self.max_tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call the script decided on."""

    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What the script decided: text, or tool calls."""

    text: str | None = None
    calls: tuple[Call, ...] = ()


def completion(request: ChatRequest, reply: Reply) -> dict[str, Any]:
    """The response body for one decided reply."""
    digest = _digest(request)
    text, finish_reason = _cut(reply, request.token_limit)
    calls = [_tool_call(call, f"call_scripted_{digest}_{i}") for i, call in enumerate(reply.calls)]
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = calls
    prompt_tokens = count_tokens(request.model_dump_json(include={"messages", "tools"}))
    completion_tokens = count_tokens(json.dumps(calls) if calls else text or "")
    return {
        "id": f"chatcmpl-scripted-{digest}",
        "object": "chat.completion",
        "created": CREATED_AT_S,
        "model": SCRIPTED_MODEL,
        "system_fingerprint": "scripted",
        "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
        "usage": {
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens + completion_tokens,
        },
    }


def chunks(body: dict[str, Any], *, include_usage: bool) -> Iterator[dict[str, Any]]:
    """The same response as a stream of `chat.completion.chunk` objects."""
    choice = body["choices"][0]
    message = choice["message"]
    yield _chunk(body, {"role": "assistant", "content": ""}, None)
    for word in re.findall(r"\S*\s*", message["content"] or ""):
        yield _chunk(body, {"content": word}, None)
    for index, call in enumerate(message.get("tool_calls", ())):
        yield _chunk(body, {"tool_calls": [{"index": index, **call}]}, None)
    yield _chunk(body, {}, choice["finish_reason"])
    if include_usage:
        yield {**_chunk(body, {}, None), "choices": [], "usage": body["usage"]}


def error_body(message: str, *, code: str) -> dict[str, Any]:
    """An error in the shape OpenAI clients parse."""
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return {"error": error}


def models() -> dict[str, Any]:
    """The answer to `GET /v1/models`."""
    entry = {
        "id": SCRIPTED_MODEL,
        "object": "model",
        "created": CREATED_AT_S,
        "owned_by": "scripted",
    }
    return {"object": "list", "data": [entry]}


def count_tokens(text: str) -> int:
    """Scripted token count of a text, at least 1."""
    return max(1, -(-len(text) // CHARACTERS_PER_TOKEN))


def _digest(request: ChatRequest) -> str:
    payload = request.model_dump_json(exclude={"stream", "stream_options"})
    return hashlib.sha256(payload.encode()).hexdigest()[:16]


def _cut(reply: Reply, limit: int | None) -> tuple[str | None, str]:
    if reply.calls:
        return reply.text, "tool_calls"
    text = reply.text or ""
    if limit is not None and count_tokens(text) > limit:
        return text[: limit * CHARACTERS_PER_TOKEN], "length"
    return text, "stop"


def _tool_call(call: Call, call_id: str) -> dict[str, Any]:
    function = {"name": call.tool, "arguments": json.dumps(call.arguments)}
    return {"id": call_id, "type": "function", "function": function}


def _chunk(
    body: dict[str, Any], delta: dict[str, Any], finish_reason: str | None
) -> dict[str, Any]:
    return {
        **{key: body[key] for key in ("id", "created", "model", "system_fingerprint")},
        "object": "chat.completion.chunk",
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}],
    }
