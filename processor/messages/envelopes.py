"""Objects around messages: requests and responses logged whole, states of graphs, arguments of functions."""

from typing import Any

from spanloop.processor.messages.lenient import NOT_JSON, is_list, is_object
from spanloop.processor.messages.model import Message
from spanloop.processor.messages.reader import Form, Object, Reader, first

_SYSTEM = ("system", "instructions", "system_instruction", "systemInstruction", "system_prompt")
_MESSAGES = ("messages", "contents", "items", "chat_history")
_MAYBE = (
    "message",
    "request_data",
    "response_data",
    "input",
    "inputs",
    "output",
    "outputs",
    "update",
    "prompt",
    "prompts",
    "combined_chunk_content",
    "response",
    "completion",
)


def _request(item: Object, reader: Reader) -> list[Message] | None:
    """Read a request: messages, and the system instructions beside them."""
    inside = next((item[key] for key in _MESSAGES if _is_list_of_messages(item, key)), None)
    system = first(item, *_SYSTEM)
    config = item.get("config")
    if system is None and is_object(config):
        system = first(config, *_SYSTEM)
    if inside is None and system is not None:
        inside = first(item, "input", "prompt")
    if inside is None:
        return None
    instructions = reader.plain(_parts_of(system)) if system is not None else ""
    return reader.said(reader.parts(instructions), "system") + reader.messages(inside)


def _is_list_of_messages(item: Object, key: str) -> bool:
    found = item.get(key)
    return is_list(found) and (key != "items" or _tells(found))


def _parts_of(system: Any) -> Any:
    """Return the parts of a Content of Gemini, else what it is."""
    return system.get("parts", system) if is_object(system) else system


def _wrapped(item: Object) -> Any:
    """Take out what tells messages; anything else only if there is nothing beside it to lose."""
    if set(item) == {"args", "kwargs"}:  # of a decorated function (OpenLLMetry, MLflow)
        given = [*_listed(item["args"]), *_listed(item["kwargs"])]
        return given[0] if len(given) == 1 or (given and _tells(given[0])) else NOT_JSON
    for key in _MAYBE:
        value = item.get(key)
        if value and (len(item) == 1 or _tells(value)):
            return value
        if isinstance(value, str) and "model" in item:
            return value
    return NOT_JSON


def _listed(values: Any) -> list[Any]:
    if is_object(values):
        return list(values.values())
    return values if is_list(values) else []


def _tells(value: Any, depth: int = 0) -> bool:
    """Tell whether there are messages in ``value``, as far as its first entries show."""
    if depth > _DEEPEST:
        return False
    if is_list(value):
        return bool(value) and _tells(value[0], depth + 1)
    if not is_object(value):
        return False
    return not _TELLING.isdisjoint(value) or any(
        _tells(value[key], depth + 1) for key in _MAYBE if key in value
    )


_DEEPEST = 6
_TELLING = frozenset(
    (
        "role",
        "parts",
        "content",
        "lc",
        "messages",
        "contents",
        "choices",
        "candidates",
        "generations",
        "tool_calls",
        "toolCallId",
        "event.name",
    )
)

REQUESTS = Form(
    name="requests", signs=frozenset((*_MESSAGES, *_SYSTEM, "config")), message=_request
)
WRAPPERS = Form(name="wrappers", inside=_wrapped)
