"""Indexed flat keys, which the processor keeps as one object of suffix → text (OpenLLMetry, OpenInference).

``{"0.role": "user", "0.content": "hi", "7.role": …}`` is a list of two messages: a gap costs nothing.
"""

from collections.abc import Iterable
from typing import Any

from spanloop.processor.messages.lenient import NOT_JSON, is_list, is_object, parse
from spanloop.processor.messages.model import Part
from spanloop.processor.messages.reader import Form, Object, Reader

_DEEPEST = 12
"""Segments of a key; ``0.message.contents.0.message_content.image.image.url`` has eight."""


def _unflattened(item: Object) -> Any:
    """Return the list of objects that the keys spell, `NOT_JSON` if they are no such keys."""
    if not item or not all(key[:1].isdigit() for key in item):
        return NOT_JSON
    root: dict[str, Any] = {}
    for key, value in item.items():
        *path, last = key.split(".", _DEEPEST)
        if (holder := _descend(root, path)) is not None:
            holder[last] = _blocks(value) if last == "content" else value
    found = _with_lists(root)
    return [_unwrapped(entry) for entry in found] if is_list(found) else found


def _descend(root: dict[str, Any], path: Iterable[str]) -> dict[str, Any] | None:
    """Return the object at ``path``; None where a plain value stands in the way."""
    for segment in path:
        root = root.setdefault(segment, {})
        if not is_object(root):
            return None
    return root


def _with_lists(value: Any) -> Any:
    if not is_object(value):
        return value
    if all(key.isdecimal() and len(key) < 20 for key in value) and value:
        return [_with_lists(value[key]) for key in sorted(value, key=int)]
    return {key: _with_lists(inner) for key, inner in value.items()}


def _blocks(content: Any) -> Any:
    """Return the blocks of a content that OpenLLMetry dumped as JSON, else the content."""
    if isinstance(content, str) and content.startswith('[{"'):
        value, _, cut = parse(content)
        if not cut and is_list(value) and all(map(_is_typed, value)):
            return value
    return content


def _is_typed(block: Any) -> bool:
    return is_object(block) and isinstance(block.get("type"), str)


def _openinference_block(block: Object, reader: Reader) -> list[Part] | None:
    """Read an entry of ``message.contents``."""
    inner = block["message_content"]
    return reader.parts(inner) if is_object(inner) else None


def _unwrapped(entry: Any) -> Any:
    """Return what OpenInference puts under ``message``, ``prompt`` or ``completion``."""
    inner = _openinference(entry) if is_object(entry) else NOT_JSON
    return entry if inner is NOT_JSON else inner


def _openinference(item: Object) -> Any:
    """Take apart ``{"message": …}``, ``{"prompt": {"text": …}}``, ``{"completion": {"text": …}}``."""
    if len(item) != 1:
        return NOT_JSON
    ((key, inner),) = item.items()
    if not is_object(inner):
        return NOT_JSON
    if key == "message":
        return inner
    return inner.get("text", NOT_JSON) if key in ("prompt", "completion") else NOT_JSON


INDEXED = Form(name="indexed", inside=_unflattened)
OPENINFERENCE = Form(
    name="openinference", inside=_openinference, keyed={"message_content": _openinference_block}
)
