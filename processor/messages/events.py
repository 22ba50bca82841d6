"""Messages that events tell: span events, log records, and Pydantic AI's list of them (version 1).

An event is ``{"name": "gen_ai.user.message", "attributes": {…}}`` here, whatever carried it.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from spanloop.processor.messages.lenient import is_list, is_object, parse
from spanloop.processor.messages.model import Message, dump
from spanloop.processor.messages.openai import chat_message
from spanloop.processor.messages.reader import Form, Object, Reader, first, label

DETAILS = "gen_ai.client.inference.operation.details"
_ROLES = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
    "gen_ai.choice": "assistant",
}
_WHOLE = {  # events that hold a whole column
    "gen_ai.content.prompt": "gen_ai.prompt",
    "gen_ai.content.completion": "gen_ai.completion",
}
_ANSWERS = ("gen_ai.choice", "gen_ai.content.completion")


MESSAGE_EVENTS = (DETAILS, *_ROLES, *_WHOLE)
"""Names of the events that carry messages."""


def events_text(events: Iterable[tuple[str, str, Mapping[str, str]]]) -> str:
    """Return log records, as name, body and attributes, in the form in which `told` reads events.

    A body that is a JSON object has the fields; any other is the content (conventions before v1.37).
    """
    return dump([_event_of_log(name, body, attributes) for name, body, attributes in events])


def _event_of_log(name: str, body: str, attributes: Mapping[str, str]) -> Object:
    fields = parse(body).value
    if not is_object(fields):
        fields = {"content": body} if body else {}
    return {"name": name, "attributes": {**fields, **attributes}}


class Told(NamedTuple):
    """What a list of events tells: values to be read as the columns of the same name are."""

    system: list[Any]
    input: list[Any]
    output: list[Any]


def told(events: Any) -> Told | None:
    """Sort events by what they tell; None if they are no such events."""
    if not is_list(events) or not any(_name(event) in _KNOWN for event in events):
        return None
    found = Told([], [], [])
    for event in events:
        name = _name(event)
        if name == DETAILS:
            _details(_attributes(event), found)
        elif name in _WHOLE:
            side = found.output if name in _ANSWERS else found.input
            side.append(_attributes(event).get(_WHOLE[name]))
        elif name in _ROLES:
            (found.output if name in _ANSWERS else found.input).append(event)
    return found


_KNOWN = frozenset((*_ROLES, *_WHOLE, DETAILS))


def _details(attributes: Object, found: Told) -> None:
    found.system.append(attributes.get("gen_ai.system_instructions"))
    found.input.append(attributes.get("gen_ai.input.messages"))
    found.output.append(attributes.get("gen_ai.output.messages"))


def _name(event: Any) -> Any:
    if not is_object(event):
        return None
    name = first(event, "event.name", "name", "event_name")
    return name if isinstance(name, str) else None


def _attributes(event: Object) -> Object:
    inner = first(event, "attributes", "body")
    return inner if is_object(inner) else event


def _message(item: Object, reader: Reader) -> list[Message] | None:
    name = _name(item)
    if name not in _ROLES:
        return None
    fields = _attributes(item)
    role = _ROLES[name]
    inner = fields.get("message")
    if inner is None:
        return [_from_fields(fields, reader, role)]
    # gen_ai.choice: a message as JSON, blocks as JSON (Strands), or plain text.
    value = reader.parsed(inner) if isinstance(inner, str) else inner
    if is_object(value) and ("content" in value or "tool_calls" in value):
        found = [chat_message(value, reader, role)]
    else:
        found = [Message(role, reader.parts(value))]
    answered = fields.get("tool.result")  # Strands puts the tools' answers behind the call
    if answered:
        found += reader.messages(reader.parsed(answered) if isinstance(answered, str) else answered)
    if found:
        found[0].finish_reason = label(fields.get("finish_reason"))
    return found


def _from_fields(fields: Object, reader: Reader, role: str) -> Message:
    """Read an event whose attributes are the fields of a message; blocks may be JSON text."""
    content = fields.get("content")
    if isinstance(content, str) and content.startswith(("[{", "{")):
        parsed = reader.parsed(content)
        if _are_blocks(parsed):
            fields = {**fields, "content": parsed}
    return chat_message(fields, reader, role)


def _are_blocks(value: Any) -> bool:
    return is_list(value) and all(
        is_object(block) and not _BLOCK_KEYS.isdisjoint(block) for block in value
    )


_BLOCK_KEYS = frozenset(("type", "text", "toolUse", "toolResult"))

EVENTS = Form(
    name="events", signs=frozenset(("event.name", "name", "event_name")), message=_message
)


def carried(values: Iterable[Any]) -> list[Any]:
    """Return the values that are there."""
    return [value for value in values if value is not None and value != ""]
