"""OTLP request messages, built from the official descriptors with two changes.

``string`` fields are typed ``bytes``: the strict type rejects a whole request for one byte of invalid UTF-8,
which SDKs produce when they truncate (opentelemetry-java#4740) and the Collector accepts
(opentelemetry-collector#11449). And there are two shapes of ``AnyValue``:

* *flat*: exactly what the database's schema reads (``proto/otlp_*.proto``): scalars and arrays of scalars.
  Maps and nested arrays are unknown fields here, so one comparison of sizes tells whether a request
  holds any, in C, without walking it.
* *full*: the recursive one, for requests that do.

Being built from the installed ``opentelemetry-proto``, both know every field that it knows.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

Signal = Literal["traces", "logs", "metrics"]
SIGNALS: tuple[Signal, ...] = ("traces", "logs", "metrics")

_OFFICIAL: dict[Signal, tuple[FileDescriptor, str]] = {
    "traces": (trace_service_pb2.DESCRIPTOR, "ExportTraceServiceRequest"),
    "logs": (logs_service_pb2.DESCRIPTOR, "ExportLogsServiceRequest"),
    "metrics": (metrics_service_pb2.DESCRIPTOR, "ExportMetricsServiceRequest"),
}
_COMMON = "opentelemetry.proto.common.v1"
_FIELD = descriptor_pb2.FieldDescriptorProto

# Fields that hold the items a request carries, from the request down.
ITEM_PATH: dict[Signal, tuple[str, str, str]] = {
    "traces": ("resource_spans", "scope_spans", "spans"),
    "logs": ("resource_logs", "scope_logs", "log_records"),
    "metrics": ("resource_metrics", "scope_metrics", "metrics"),
}


@dataclass(frozen=True, slots=True)
class RequestTypes:
    """The message classes of one signal."""

    flat: type[Message]
    full: type[Message]


def request_types(signal: Signal) -> RequestTypes:
    """Return the message classes of ``signal``."""
    return _TYPES[signal]


def _build(signal: Signal, *, recursive: bool) -> type[Message]:
    official, request = _OFFICIAL[signal]
    pool = descriptor_pool.DescriptorPool()
    for file in _with_dependencies(official, set()):
        pool.Add(_retyped(file, recursive=recursive))  # pyright: ignore[reportUnknownMemberType]
    descriptor = pool.FindMessageTypeByName(f"{official.package}.{request}")
    return message_factory.GetMessageClass(descriptor)


def _with_dependencies(file: FileDescriptor, seen: set[str]) -> Iterator[FileDescriptor]:
    if file.name in seen:
        return
    seen.add(file.name)
    for dependency in file.dependencies:
        yield from _with_dependencies(dependency, seen)
    yield file


def _retyped(file: FileDescriptor, *, recursive: bool) -> descriptor_pb2.FileDescriptorProto:
    proto = descriptor_pb2.FileDescriptorProto()
    file.CopyToProto(proto)
    del proto.service[:]
    for message in _all_messages(proto.message_type):
        for field in message.field:
            if field.type == _FIELD.TYPE_STRING:
                field.type = _FIELD.TYPE_BYTES
    if proto.package == _COMMON and not recursive:
        _flatten_any_value(proto)
    return proto


def _all_messages(messages: Any) -> Iterator[descriptor_pb2.DescriptorProto]:
    for message in messages:
        yield message
        yield from _all_messages(message.nested_type)


def _flatten_any_value(proto: descriptor_pb2.FileDescriptorProto) -> None:
    """Cut AnyValue's recursion: no maps, arrays of scalars only."""
    by_name = {message.name: message for message in proto.message_type}
    any_value, array_value = by_name["AnyValue"], by_name["ArrayValue"]
    _drop_fields(any_value, {"kvlist_value"})
    scalar = proto.message_type.add()
    scalar.CopyFrom(any_value)
    scalar.name = "ScalarValue"
    _drop_fields(scalar, {"array_value"})
    array_value.field[0].type_name = f".{_COMMON}.ScalarValue"


def _drop_fields(message: descriptor_pb2.DescriptorProto, names: set[str]) -> None:
    kept = [field for field in message.field if field.name not in names]
    del message.field[:]
    message.field.extend(kept)


_TYPES: dict[Signal, RequestTypes] = {
    signal: RequestTypes(
        flat=_build(signal, recursive=False),
        full=_build(signal, recursive=True),
    )
    for signal in SIGNALS
}
