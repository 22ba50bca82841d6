"""The slow path: maps and nested arrays of a request rewritten as JSON strings.

The database's schema reads scalars and arrays of scalars. Whatever else a value can be is turned into the
text the Collector's exporter would store for it, before the request enters the log. An empty array is
rewritten too, since the database cannot tell it from an absent value.
"""

from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from spanloop.receiver.go_json import JsonValue, Unencodable, encode

# AnyValue.array_value of none, as it ends KeyValue.value (and, with the tag before cut off, LogRecord.body).
# The one value the flat message type parses but the database misreads; a search for its fixed bytes is far
# cheaper than a walk.
EMPTY_ARRAY_MARKS: Mapping[str, bytes] = {
    "traces": b"\x12\x02\x2a\x00",
    "logs": b"\x02\x2a\x00",
    "metrics": b"\x12\x02\x2a\x00",
}

Redact = Callable[[str], str]


def redact_inplace(message: Message, redact: Redact) -> None:
    """Replace attribute values, log bodies and status messages below ``message`` by their redacted form.

    Call it after `flatten_inplace`. Names, ids and keys are kept.
    """
    for field, value in message.ListFields():
        if field.message_type is None:
            if field.name == "message":  # of a span's Status: often an exception's text
                setattr(message, field.name, redact(str(value, "utf-8", "replace")).encode())
            continue
        for child in value if field.is_repeated else (value,):
            if (
                field.message_type.name == "AnyValue"
                and child.WhichOneof("value") == "string_value"
            ):
                child.string_value = redact(str(child.string_value, "utf-8", "replace")).encode()
            else:
                redact_inplace(child, redact)


def flatten_inplace(message: Message) -> None:
    """Rewrite every complex AnyValue below ``message`` (of the *full* type) as a string."""
    for field, value in message.ListFields():
        if field.type != FieldDescriptor.TYPE_MESSAGE or field.message_type is None:
            continue
        children: Any = value if field.is_repeated else (value,)
        if field.message_type.name == "AnyValue":
            for child in children:
                _flatten_value_inplace(child)
        else:
            for child in children:
                flatten_inplace(child)


def _flatten_value_inplace(value: Any) -> None:
    kind: str | None = value.WhichOneof("value")
    if kind == "kvlist_value" or (kind == "array_value" and not _is_flat(value.array_value)):
        try:
            text = encode(_plain(value))
        except Unencodable:
            text = ""  # what Go's encoder leaves: the exporter ignores its error
        value.string_value = text.encode()


def _is_flat(array: Any) -> bool:
    return len(array.values) > 0 and all(
        item.WhichOneof("value") not in ("array_value", "kvlist_value") for item in array.values
    )


def _plain(value: Any) -> JsonValue:
    kind: str | None = value.WhichOneof("value")
    if kind is None:
        return None
    if kind == "string_value":
        return _text(value.string_value)
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        # A duplicate key: the last one wins, as in a Go map.
        return {_text(kv.key): _plain(kv.value) for kv in value.kvlist_value.values}
    if kind == "bytes_value":
        return bytes(value.bytes_value) or None  # pdata reads no bytes as nil
    plain: JsonValue = getattr(value, kind)
    return plain


def _text(raw: bytes) -> str:
    """Return ``raw`` with each byte that is not UTF-8 as a lone surrogate, which `encode` knows."""
    return raw.decode("utf-8", "surrogateescape")
