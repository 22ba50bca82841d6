"""LangChain and LangGraph: serialised message objects and what surrounds them."""

from typing import Any

from spanloop.processor.messages.lenient import is_list, is_object
from spanloop.processor.messages.model import Message, role_of
from spanloop.processor.messages.openai import chat_message
from spanloop.processor.messages.reader import Form, Object, Reader, label

_CLASSES = ("human", "ai", "system", "tool", "function", "chat", "remove")
_LONG = {f"{name.capitalize()}Message": name for name in _CLASSES} | {"AIMessage": "ai"}


def _message(item: Object, reader: Reader) -> list[Message] | None:
    """Read ``{lc, type, id, kwargs}``, ``{type, data}``, or a message dumped flat (``type: human``)."""
    kind, fields = _class_and_fields(item)
    if kind is None or not is_object(fields):
        return None
    speaker = fields.get("role") if kind == "chat" else kind
    return [chat_message(_with_legacy_calls(fields), reader, role_of(speaker, reader.speaker))]


def _class_and_fields(item: Object) -> tuple[str | None, Any]:
    if "lc" in item and is_list(item.get("id")) and item["id"]:
        return _class(item["id"][-1]), item.get("kwargs")
    kind = _class(item.get("type"))
    if kind is None:
        return None, None
    if is_object(item.get("data")):
        return kind, item["data"]
    return (kind, item) if "content" in item else (None, None)


def _class(name: Any) -> str | None:
    if not isinstance(name, str):
        return None
    name = _LONG.get(name.removesuffix("Chunk"), name)
    return name if name in _CLASSES else None


def _with_legacy_calls(fields: Object) -> Object:
    """Return the fields with the calls that older versions keep as the provider sent them."""
    extra = fields.get("additional_kwargs")
    if fields.get("tool_calls") or not is_object(extra):
        return fields
    calls = {key: extra[key] for key in ("tool_calls", "function_call") if extra.get(key)}
    return {**fields, **calls} if calls else fields


def _generations(item: Object, reader: Reader) -> list[Message] | None:
    """Read an LLMResult: lists of generations, each a message or text."""
    generations = item.get("generations")
    if not is_list(generations):
        return None
    found: list[Message] = []
    for generation in _flat(generations):
        inner = generation.get("message") or generation.get("text")
        messages = reader.messages(inner)
        info = generation.get("generation_info")
        if messages and is_object(info):
            messages[-1].finish_reason = label(info.get("finish_reason"))
        found += messages
    return found


def _flat(generations: list[Any]) -> list[Object]:
    rows = (row if is_list(row) else [row] for row in generations)
    return [entry for row in rows for entry in row if is_object(entry)]


LANGCHAIN = Form(name="langchain", signs=frozenset(("lc", "type")), message=_message)
GENERATIONS = Form(
    name="langchain_generations", signs=frozenset(("generations",)), message=_generations
)
