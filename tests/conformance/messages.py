"""OTLP requests for the conformance tests: valid ones of every signal, and small ways to spoil them."""

import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import AGGREGATION_TEMPORALITY_CUMULATIVE
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

SignalName = Literal["traces", "logs", "metrics"]
MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One signal: where it is sent and what is sent and answered."""

    name: SignalName
    method: str
    path: str
    request: type[Message]
    response: type[Message]


def _signal(
    name: SignalName, service: str, request: type[Message], response: type[Message]
) -> Signal:
    method = f"/opentelemetry.proto.collector.{service}/Export"
    return Signal(name=name, method=method, path=f"/v1/{name}", request=request, response=response)


TRACES = _signal(
    "traces", "trace.v1.TraceService", ExportTraceServiceRequest, ExportTraceServiceResponse
)
LOGS = _signal("logs", "logs.v1.LogsService", ExportLogsServiceRequest, ExportLogsServiceResponse)
METRICS = _signal(
    "metrics",
    "metrics.v1.MetricsService",
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
SIGNALS = (TRACES, LOGS, METRICS)


def text(key: str, value: str) -> KeyValue:
    return KeyValue(key=key, value=AnyValue(string_value=value))


def resource() -> Resource:
    return Resource(attributes=[text("service.name", "conformance")])


def span(name: str = "chat model", **fields: Any) -> Span:
    now = time.time_ns()
    base: dict[str, Any] = {
        "trace_id": os.urandom(16),
        "span_id": os.urandom(8),
        "name": name,
        "kind": Span.SPAN_KIND_CLIENT,
        "start_time_unix_nano": now - 1_000_000,
        "end_time_unix_nano": now,
        "attributes": [text("gen_ai.operation.name", "chat")],
    }
    return Span(**{**base, **fields})


def traces(spans: Sequence[Span]) -> ExportTraceServiceRequest:
    request = ExportTraceServiceRequest()
    block = request.resource_spans.add(resource=resource())
    scope = block.scope_spans.add()
    scope.scope.name = "conformance"
    scope.spans.extend(spans)
    return request


def logs(body: str = "hello") -> ExportLogsServiceRequest:
    request = ExportLogsServiceRequest()
    scope = request.resource_logs.add(resource=resource()).scope_logs.add()
    record = scope.log_records.add(time_unix_nano=time.time_ns(), severity_text="INFO")
    record.body.string_value = body
    return request


def metrics() -> ExportMetricsServiceRequest:
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add(resource=resource()).scope_metrics.add()
    now = time.time_ns()
    scope.metrics.add(name="gauge").gauge.data_points.add(time_unix_nano=now, as_double=0.5)
    total = scope.metrics.add(name="sum").sum
    total.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    total.is_monotonic = True
    total.data_points.add(time_unix_nano=now, start_time_unix_nano=now - 10**9, as_int=7)
    histogram = scope.metrics.add(name="histogram").histogram
    histogram.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    histogram.data_points.add(
        time_unix_nano=now, count=3, sum=6.0, bucket_counts=[1, 2], explicit_bounds=[1.0]
    )
    exponential = scope.metrics.add(name="exponential").exponential_histogram
    exponential.aggregation_temporality = AGGREGATION_TEMPORALITY_CUMULATIVE
    point = exponential.data_points.add(time_unix_nano=now, count=2, scale=1)
    point.positive.offset = -1
    point.positive.bucket_counts.extend([1, 1])
    quantile = scope.metrics.add(name="summary").summary.data_points.add(
        time_unix_nano=now, count=1
    )
    quantile.quantile_values.add(quantile=0.5, value=1.0)
    return request


def request_of(signal: Signal) -> Message:
    """Return a small valid request."""
    if signal is TRACES:
        return traces([span(), span()])
    return logs() if signal is LOGS else metrics()


def big_traces(n_bytes: int) -> bytes:
    """Return a valid request of at least ``n_bytes``, as spans of 64 KiB each."""
    filler = "x" * 65536
    n_spans = n_bytes // len(filler) + 1
    return traces(
        [span(attributes=[text("big", filler)]) for _ in range(n_spans)]
    ).SerializeToString()


def nested(levels: int) -> bytes:
    """Return a request of three spans, the middle one with arrays ``levels`` deep.

    It is put together on the wire: protobuf's own encoder stops at 100 levels.
    """
    value = b"\x18\x01"  # int_value: 1
    for _ in range(levels):
        item = field(1, value)  # ArrayValue.values
        value = field(5, item)  # AnyValue.array_value
    attribute = field(1, b"deep") + field(2, value)
    spans = b"".join(
        field(2, raw)
        for raw in (
            span("before").SerializeToString(),
            span("deep").SerializeToString() + field(9, attribute),
            span("after").SerializeToString(),
        )
    )
    return field(1, field(1, resource().SerializeToString()) + field(2, spans))


def with_unknown_fields() -> bytes:
    """Return a request with unknown fields of every wire type on three levels."""
    unknown = b"".join(
        (
            _key(2000, 0) + b"\x05",
            _key(2001, 1) + b"12345678",
            field(2002, b"later version"),
            _key(2003, 5) + b"1234",
        )
    )
    one = span().SerializeToString() + unknown
    scope = field(2, one) + unknown
    return field(1, field(1, resource().SerializeToString()) + field(2, scope) + unknown) + unknown


def with_invalid_utf8() -> bytes:
    """Return a request whose span name and attribute value are not UTF-8."""
    marked = traces([span("NAME", attributes=[text("k", "VALUE")])]).SerializeToString()
    return marked.replace(b"NAME", b"\xff\xfeab").replace(b"VALUE", b"a\xc3(\xe2\x82")


def rejected(signal: Signal, response: Message) -> tuple[int, str]:
    """Return how many records a response says were rejected, and why."""
    noun = {"traces": "spans", "logs": "log_records", "metrics": "data_points"}[signal.name]
    partial = cast(Any, response).partial_success
    return int(getattr(partial, f"rejected_{noun}")), str(partial.error_message)


def _key(number: int, wire_type: int) -> bytes:
    return _varint(number << 3 | wire_type)


def field(number: int, body: bytes) -> bytes:
    return _key(number, 2) + _varint(len(body)) + body


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out) + bytes([number])
