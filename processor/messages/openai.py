"""OpenAI: chat messages, which most SDKs imitate, and the items of the Responses API."""

from typing import Any

from spanloop.processor.messages.lenient import is_list, is_object
from spanloop.processor.messages.model import ANSWER, CALL, Message, Part, role_of, text_part
from spanloop.processor.messages.reader import Form, Object, Reader, first, label

_MESSAGE_KEYS = frozenset(
    (
        "additional_kwargs",
        "annotations",
        "audio",
        "content",
        "contents",
        "finish_reason",
        "function_call",
        "id",
        "index",
        "name",
        "reasoning",
        "reasoning_content",
        "refusal",
        "role",
        "tool_call_id",
        "tool_calls",
    )
)
_SAYING = frozenset(
    (
        "content",
        "contents",
        "blocks",
        "Items",
        "text",
        "tool_calls",
        "toolCalls",
        "function_call",
        "function_call_name",
        "reasoning",
        "reasoning_content",
        "refusal",
    )
)


def _message(item: Object, reader: Reader) -> list[Message] | None:
    # Without a role, or saying nothing, it has the keys of a message only ({"role": "admin", "team": …}).
    if ("role" not in item or _SAYING.isdisjoint(item)) and not _MESSAGE_KEYS.issuperset(item):
        return None
    return [chat_message(item, reader, role_of(item.get("role"), reader.speaker))]


def chat_message(item: Object, reader: Reader, role: str) -> Message:
    """Read a chat message; ``role`` is what its carrier says it is."""
    content = first(item, "content", "contents", "blocks", "Items", "text")
    message = Message(
        role,
        name=label(item.get("name")),
        finish_reason=label(item.get("finish_reason") or item.get("stop_reason")),
    )
    parts = message.parts
    for key in ("reasoning_content", "reasoning"):
        if isinstance(item.get(key), str):
            parts += reader.thought(item[key])
            break
    if role == "tool" or "tool_call_id" in item:
        parts += _answers(item, content, reader)
        message.name = None  # it is the tool's, and stands in the part
    else:
        parts += reader.parts(content)
    if isinstance(item.get("refusal"), str) and item["refusal"]:
        parts.append(text_part(reader.text(item["refusal"])))
    parts += _calls(item, parts, reader)
    return message


def _answers(item: Object, content: Any, reader: Reader) -> list[Part]:
    if is_list(content):  # blocks that are answers themselves (Vercel, Anthropic, Bedrock)
        parts = reader.parts(content)
        if any(part.type == ANSWER for part in parts):
            return parts
    call_id = first(item, "tool_call_id", "toolCallId", "call_id", "id")
    return [reader.answer("" if content is None else content, call_id, item.get("name"))]


def _calls(item: Object, parts: list[Part], reader: Reader) -> list[Part]:
    """Return the calls beside the content, without those that the content told already (LangChain)."""
    listed = first(item, "tool_calls", "toolCalls")
    known = {part.id for part in parts if part.type == CALL and part.id}
    found = [
        call
        for entry in _as_list(listed, reader)
        if (call := read_call(entry, reader)) and call.id not in known
    ]
    legacy = item.get("function_call")
    if is_object(legacy) and "name" in legacy:
        found.append(reader.call(legacy["name"], legacy.get("arguments")))
    elif "function_call_name" in item:  # OpenInference
        found.append(
            reader.call(item["function_call_name"], item.get("function_call_arguments_json"))
        )
    return found


def _as_list(value: Any, reader: Reader) -> list[Any]:
    if isinstance(value, str):
        value = reader.parsed(value)
    return value if is_list(value) else [value] if is_object(value) else []


def read_call(entry: Any, reader: Reader) -> Part | None:
    """Read one entry of a list of tool calls, nested in ``function`` or flat."""
    if not is_object(entry):
        return None
    entry = entry["tool_call"] if is_object(entry.get("tool_call")) else entry
    function = entry["function"] if is_object(entry.get("function")) else entry
    name = first(function, "name", "toolName", "tool_name")
    arguments = first(function, "arguments", "args", "input")
    if name is None and arguments is None:
        return None
    return reader.call(name, arguments, first(entry, "id", "call_id", "toolCallId", "tool_call_id"))


def _loose_call(block: Object, reader: Reader) -> list[Part] | None:
    """Read a call that stands outside of any message (LiveKit's ``function_calls``)."""
    call = read_call(block, reader)
    return None if call is None or not call.name or call.value is None else [call]


def _choices(item: Object, reader: Reader) -> list[Message] | None:
    """Read a completion: what was chosen, and why it ended."""
    choices = item.get("choices")
    if not is_list(choices):
        return None
    found: list[Message] = []
    for choice in choices:
        inner = first(choice, "message", "delta", "text") if is_object(choice) else choice
        messages = reader.messages(inner)
        if messages and is_object(choice):
            messages[-1].finish_reason = label(choice.get("finish_reason"))
        found += messages
    return found


# --- Responses ---------------------------------------------------------------------------------


def _item(item: Object, reader: Reader) -> list[Message] | None:
    """Read one item of a response: items side by side are one answer."""
    kind = item.get("type")
    if not isinstance(kind, str):
        return None
    if kind == "message" and "content" in item:
        message = chat_message(item, reader, role_of(item.get("role"), reader.speaker))
        message.item = message.role == "assistant"
        return [message]
    if kind == "reasoning" and ("summary" in item or "encrypted_content" in item):
        return _answer_item(reader.thought(first(item, "content") or item.get("summary") or ""))
    if kind.endswith("_call_output"):
        return reader.said(
            [reader.answer(item.get("output"), _call_id(item), item.get("name"))], "tool"
        )
    if kind.endswith("_call") and kind != "tool_call":
        return _answer_item(_hosted(item, kind, reader))
    return None


def _answer_item(parts: list[Part]) -> list[Message]:
    return [Message("assistant", parts, item=True)]


def _hosted(item: Object, kind: str, reader: Reader) -> list[Part]:
    """Read a call; OpenAI's own tools (web search, MCP) answer in the same item."""
    name = item.get("name") or kind.removesuffix("_call")
    arguments = first(item, "arguments", "input", "action", "queries")
    call = reader.call(name, arguments, _call_id(item))
    if item.get("output") is None:
        return [call]
    return [call, reader.answer(item["output"], _call_id(item), name)]


def _call_id(item: Object) -> Any:
    return first(item, "call_id", "id")


def _said(block: Object, reader: Reader) -> list[Part]:
    said = first(block, "text", "refusal")
    return [text_part(reader.text(said))] if said else []


OPENAI = Form(
    name="openai",
    signs=frozenset(("role", "content", "tool_calls")),
    message=_message,
    blocks={
        **dict.fromkeys(("input_text", "output_text", "summary_text", "refusal"), _said),
        "function": lambda block, reader: _loose_call(block, reader) or [],
    },
    keyed={"function": _loose_call, "arguments": _loose_call},
)
COMPLETIONS = Form(name="openai_completions", signs=frozenset(("choices",)), message=_choices)
RESPONSES = Form(name="openai_responses", signs=frozenset(("type",)), message=_item)

__all__ = ["COMPLETIONS", "OPENAI", "RESPONSES", "chat_message", "read_call"]
