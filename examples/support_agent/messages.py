"""Conversation messages, and their two wire forms: OpenAI chat and GenAI semconv parts."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A tool call that the model asked for; `arguments` is JSON text, as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message; only an assistant has tool calls, only a tool answers one."""

    role: Role
    content: str | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None


def to_chat(message: Message) -> dict[str, Any]:
    """The message as an OpenAI chat-completions object."""
    chat: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.tool_call_id is not None:
        chat["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        chat["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    return chat


def to_parts(message: Message) -> dict[str, Any]:
    """The message as `{role, parts}` (semconv gen-ai-input-messages.json)."""
    if message.tool_call_id is not None:
        response = json_or_text(message.content or "")
        part = {"type": "tool_call_response", "id": message.tool_call_id, "response": response}
        return {"role": message.role, "parts": [part]}
    parts: list[dict[str, Any]] = []
    if message.content:
        parts.append({"type": "text", "content": message.content})
    for call in message.tool_calls:
        arguments = json_or_text(call.arguments)
        parts.append(
            {"type": "tool_call", "id": call.id, "name": call.name, "arguments": arguments}
        )
    return {"role": message.role, "parts": parts}


def parts_json(messages: Iterable[Message]) -> str:
    """Messages as the JSON string that goes on a span."""
    return json.dumps([to_parts(message) for message in messages], ensure_ascii=False)


def json_or_text(text: str) -> Any:
    """The value of JSON text, or the text itself when it is not JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return text
