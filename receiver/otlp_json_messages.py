"""JSON objects to protobuf messages, by tables compiled from the official descriptors.

``REQUESTS`` holds the three export requests. Attribute values have code of their own: they are most
of the work, and the only messages that can nest without end.
"""

from functools import cache
from typing import Literal, NamedTuple

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue, KeyValueList

from spanloop.processor.errors import InvalidRequest
from spanloop.receiver.otlp_json_scalars import (
    BYTES,
    VARINT,
    Encoder,
    Json,
    Tally,
    scalar_encoder,
    tag_of,
    varint,
)

Signal = Literal["traces", "logs", "metrics"]

MAX_VALUE_DEPTH = 64
"""AnyValues inside one another that are carried over; protobuf parsers give up at about 50."""


class Message(NamedTuple):
    """One message type: its name, and JSON field name → encoder."""

    name: str
    fields: dict[str, Encoder]


def encode_message(message: Message, value: Json, tally: Tally) -> bytes:
    """Return the wire bytes of one JSON object; null is an empty message, as for a null field."""
    if type(value) is not dict:
        if value is None:
            return b""
        raise InvalidRequest(f"{message.name} must be an object")
    fields = message.fields
    parts: list[bytes] = []
    for name, member in value.items():
        encode = fields.get(name)
        if encode is None:
            tally.unknown += 1
        elif member is not None:
            parts.append(encode(member, tally))
    return b"".join(parts)


# --- attribute values: the hot path, and the only messages that nest without end -----------------

_ANY_FIELDS = AnyValue.DESCRIPTOR.fields_by_name
_KEY = tag_of(KeyValue.DESCRIPTOR.fields_by_name["key"], BYTES)
_VALUE = tag_of(KeyValue.DESCRIPTOR.fields_by_name["value"], BYTES)
_STRING_VALUE = tag_of(_ANY_FIELDS["string_value"], BYTES)
_ARRAY_VALUE = tag_of(_ANY_FIELDS["array_value"], BYTES)
_ARRAY_ITEM = tag_of(ArrayValue.DESCRIPTOR.fields_by_name["values"], BYTES)
_KVLIST_VALUE = tag_of(_ANY_FIELDS["kvlist_value"], BYTES)
_KVLIST_ITEM = tag_of(KeyValueList.DESCRIPTOR.fields_by_name["values"], BYTES)


def _any_value(value: Json, tally: Tally, depth: int = 1) -> bytes:
    if type(value) is not dict:
        if value is None:
            return b""
        raise InvalidRequest(f"{AnyValue.DESCRIPTOR.full_name} must be an object")
    parts: list[bytes] = []
    for name, member in value.items():
        if member is None:
            continue
        if name in ("arrayValue", "kvlistValue"):
            if depth < MAX_VALUE_DEPTH:
                parts.append(_nested_value(name, member, tally, depth + 1))
        elif name in _ANY_SCALARS:
            parts.append(_ANY_SCALARS[name](member, tally))
        else:
            tally.unknown += 1
    return b"".join(parts)


def _nested_value(name: str, value: Json, tally: Tally, depth: int) -> bytes:
    if type(value) is not dict:
        raise InvalidRequest(f"{name} must be an object")
    tally.unknown += len(value) - ("values" in value)
    members = value.get("values")
    if name == "kvlistValue":
        body = _key_values(_KVLIST_ITEM, members, tally, depth)
        return _KVLIST_VALUE + varint(len(body)) + body
    parts: list[bytes] = []
    for member in _items(members, "arrayValue.values"):
        item = _any_value(member, tally, depth)
        parts += (_ARRAY_ITEM, varint(len(item)), item)
    body = b"".join(parts)
    return _ARRAY_VALUE + varint(len(body)) + body


def _key_values(tag: bytes, value: Json, tally: Tally, depth: int) -> bytes:
    """Encode a list of ``{"key": …, "value": …}``, each under ``tag``."""
    parts: list[bytes] = []
    for item in _items(value, "a list of attributes"):
        if type(item) is not dict:
            body = encode_message(_KEY_VALUE, item, tally)
        elif (
            len(item) == 2
            and type(key := item.get("key")) is str
            and (member := item.get("value")) is not None
        ):
            raw_key = key.encode()
            raw_value = _attribute_value(member, tally, depth)
            body = b"".join(
                (_KEY, varint(len(raw_key)), raw_key, _VALUE, varint(len(raw_value)), raw_value)
            )
        else:
            body = _odd_key_value(item, tally, depth)
        parts += (tag, varint(len(body)), body)
    return b"".join(parts)


def _attribute_value(value: Json, tally: Tally, depth: int) -> bytes:
    if type(value) is dict and len(value) == 1 and type(text := value.get("stringValue")) is str:
        raw = text.encode()
        return _STRING_VALUE + varint(len(raw)) + raw
    return _any_value(value, tally, depth)


def _odd_key_value(item: dict[str, Json], tally: Tally, depth: int) -> bytes:
    """Encode an attribute with unknown members or without one of its two."""
    body = encode_message(_KEY_VALUE, {k: v for k, v in item.items() if k != "value"}, tally)
    if item.get("value") is not None:
        value = _any_value(item["value"], tally, depth)
        body += _VALUE + varint(len(value)) + value
    return body


def _items(value: Json, name: str) -> list[Json]:
    if type(value) is list:
        return value
    if value is None:
        return []
    raise InvalidRequest(f"{name} must be an array")


# --- messages and repeated fields ---------------------------------------------------------------


def _message_encoder(field: FieldDescriptor) -> Encoder:
    tag, message = tag_of(field, BYTES), _compiled(field.message_type)

    def encode(value: Json, tally: Tally) -> bytes:
        body = encode_message(message, value, tally)
        return tag + varint(len(body)) + body

    return encode


def _any_value_encoder(field: FieldDescriptor) -> Encoder:
    tag = tag_of(field, BYTES)

    def encode(value: Json, tally: Tally) -> bytes:
        body = _any_value(value, tally)
        return tag + varint(len(body)) + body

    return encode


def _attributes_encoder(field: FieldDescriptor) -> Encoder:
    tag = tag_of(field, BYTES)

    def encode(value: Json, tally: Tally) -> bytes:
        return _key_values(tag, value, tally, 1)

    return encode


def _repeated(field: FieldDescriptor, encode_one: Encoder) -> Encoder:
    name = field.full_name

    def encode(value: Json, tally: Tally) -> bytes:
        return b"".join([encode_one(item, tally) for item in _items(value, name)])

    return encode


def _packed(field: FieldDescriptor, encode_one: Encoder) -> Encoder:
    tag, name = tag_of(field, BYTES), field.full_name
    skip = len(tag_of(field, VARINT))  # each item comes with the tag of an unpacked field

    def encode(value: Json, tally: Tally) -> bytes:
        body = b"".join([encode_one(item, tally)[skip:] for item in _items(value, name)])
        return tag + varint(len(body)) + body

    return encode


def _encoder(field: FieldDescriptor) -> Encoder:
    if field.message_type is None:
        encode = scalar_encoder(field)
        if field.is_repeated:
            is_text = field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)
            return (_repeated if is_text else _packed)(field, encode)
        return encode
    if field.message_type is AnyValue.DESCRIPTOR:
        return _any_value_encoder(field)
    if field.message_type is KeyValue.DESCRIPTOR and field.is_repeated:
        return _attributes_encoder(field)
    encode = _message_encoder(field)
    return _repeated(field, encode) if field.is_repeated else encode


@cache
def _compiled(descriptor: Descriptor) -> Message:
    fields = {field.json_name: _encoder(field) for field in descriptor.fields}
    return Message(descriptor.full_name, fields)


_ANY_SCALARS = {
    field.json_name: _encoder(field)
    for field in AnyValue.DESCRIPTOR.fields
    if field.message_type is None
}
_KEY_VALUE = _compiled(KeyValue.DESCRIPTOR)
REQUESTS: dict[Signal, Message] = {
    "traces": _compiled(ExportTraceServiceRequest.DESCRIPTOR),
    "logs": _compiled(ExportLogsServiceRequest.DESCRIPTOR),
    "metrics": _compiled(ExportMetricsServiceRequest.DESCRIPTOR),
}
