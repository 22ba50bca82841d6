"""Pydantic AI's own messages (``kind: request``), where an application logs them as they are."""

from typing import Any

from spanloop.processor.messages.lenient import is_list, is_object
from spanloop.processor.messages.model import Message, Part, text_part
from spanloop.processor.messages.otel import media
from spanloop.processor.messages.reader import Form, Object, Reader, first

_ROLES = {"system-prompt": "system", "user-prompt": "user", "instructions": "system"}


def _message(item: Object, reader: Reader) -> list[Message] | None:
    """Read a request or a response; a request holds what several speakers said."""
    kind, parts = item.get("kind"), item.get("parts")
    if kind not in ("request", "response") or not is_list(parts):
        return None
    if kind == "response":
        return [Message("assistant", reader.parts(parts))]
    return [
        Message(_ROLES.get(str(part.get("part_kind")), "tool"), reader.parts(part))
        for part in parts
        if is_object(part)
    ]


def _part(block: Object, reader: Reader) -> list[Part] | None:
    kind = block["part_kind"]
    call_id = block.get("tool_call_id")
    if kind == "tool-call":
        return [reader.call(block.get("tool_name"), block.get("args"), call_id)]
    if kind == "tool-return" or (kind == "retry-prompt" and block.get("tool_name")):
        return [reader.answer(block.get("content"), call_id, block.get("tool_name"))]
    if kind == "thinking":
        return reader.thought(first(block, "content") or "")
    content = block.get("content")
    if is_list(content):  # texts and things that are none
        return [part for entry in content for part in _prompt(entry, reader)]
    return [text_part(reader.text(content))] if content else []


def _prompt(entry: Any, reader: Reader) -> list[Part]:
    if is_object(entry) and "kind" in entry:
        return media({**entry, "type": entry["kind"]}, reader)
    return reader.parts(entry)


PYDANTIC_AI = Form(
    name="pydantic_ai",
    signs=frozenset(("kind",)),
    message=_message,
    keyed={"part_kind": _part},
)
