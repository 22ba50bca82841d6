"""One check decides: kept as it is, kept in part, rewritten, or refused. Nothing else can happen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import DecodeError, Message
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from spanloop.processor.errors import InvalidRequest
from spanloop.receiver import check as check_module
from spanloop.receiver.check import check, count_rows, halve
from spanloop.receiver.otlp_messages import ITEM_PATH, SIGNALS, Signal, request_types
from spanloop.receiver.record import encode_varint

ID16, ID8 = bytes(range(1, 17)), bytes(range(1, 9))


def field(number: int, content: bytes) -> bytes:
    return encode_varint(number << 3 | 2) + encode_varint(len(content)) + content


def nested_map(levels: int) -> bytes:
    """AnyValue bytes with so many maps around an integer."""
    value = b"\x18\x01"
    for _ in range(levels):
        value = field(6, field(1, field(1, b"k") + field(2, value)))
    return value


def span(attribute: bytes = b"", *, trace_id: bytes = ID16, span_id: bytes = ID8) -> bytes:
    body = field(1, trace_id) + field(2, span_id)
    return body + (field(9, field(1, b"a") + field(2, attribute)) if attribute else b"")


def request_of(*spans: bytes, resource: bytes = b"", scope: bytes = b"") -> bytes:
    scope_spans = (field(1, scope) if scope else b"") + b"".join(field(2, s) for s in spans)
    return field(1, (field(1, resource) if resource else b"") + field(2, scope_spans))


def test_a_plain_request_passes_as_the_very_bytes_that_arrived() -> None:
    body = request_of(span(b"\x0a\x01x"), span())
    checked = check("traces", body)
    assert checked.body is body
    assert checked.rows == {"otel_traces": 2}
    assert (checked.rejected, checked.message, checked.slow) == (0, "", False)


@pytest.mark.parametrize(
    ("trace_id", "span_id"),
    [
        (b"", ID8),
        (ID16, b""),
        (ID16[:15], ID8),
        (ID16 + b"x", ID8),
        (bytes(16), ID8),
        (ID16, bytes(8)),
        (ID16, ID8[:7]),
        (ID16, ID8 + b"x"),
    ],
)
def test_a_bad_id_costs_its_span_only(trace_id: bytes, span_id: bytes) -> None:
    bad = span(trace_id=trace_id, span_id=span_id)
    checked = check("traces", request_of(span(), bad, span(), bad))
    assert checked.rows == {"otel_traces": 2}
    assert checked.rejected == 2
    assert checked.message == "2 rejected: trace_id must be 16 and span_id 8 bytes, not all zero"
    assert checked.body == request_of(span(), span())


def test_many_bad_spans_take_linear_time() -> None:
    checked = check("traces", request_of(*[b""] * 200_000))
    assert checked.rejected == 200_000
    assert checked.n_rows == 0


@pytest.mark.parametrize("levels", [1, 10, 30])
def test_maps_are_rewritten(levels: int) -> None:
    checked = check("traces", request_of(span(nested_map(levels))))
    assert checked.slow
    assert b'{"k":' * levels + b"1" + b"}" * levels in checked.body
    assert checked.rows == {"otel_traces": 1}


@pytest.mark.parametrize("levels", [51, 1000, 10_001])
def test_what_is_nested_too_deeply_costs_its_span_only(levels: int) -> None:
    checked = check("traces", request_of(span(), span(nested_map(levels)), span(nested_map(2))))
    assert checked.rows == {"otel_traces": 2}
    assert checked.rejected == 1
    assert checked.message == "1 rejected: nested too deeply"
    assert b'{"k":{"k":1}}' in checked.body


def test_a_resource_or_scope_nested_too_deeply_costs_what_is_below_it() -> None:
    deep = field(1, field(1, b"a") + field(2, nested_map(100)))
    deep_scope = field(3, field(1, b"a") + field(2, nested_map(100)))
    body = (
        request_of(span(), span(), resource=deep)
        + request_of(span(), scope=deep_scope)
        + request_of(span())
    )
    checked = check("traces", body)
    assert checked.rows == {"otel_traces": 1}
    assert checked.rejected == 3


def test_a_metric_nested_too_deeply_is_counted_in_data_points() -> None:
    request = ExportMetricsServiceRequest()
    scope = request.resource_metrics.add().scope_metrics.add()
    scope.metrics.add(name="good").gauge.data_points.add(as_int=1)
    bad = scope.metrics.add(name="bad")
    for _ in range(3):
        point = bad.sum.data_points.add()
        value = point.attributes.add(key="k").value
        for _ in range(60):
            value = value.array_value.values.add()
    checked = check("metrics", request.SerializeToString())
    assert checked.rows == {"otel_metrics_gauge": 1}
    assert checked.rejected == 3


def test_an_empty_array_as_a_log_body_is_rewritten() -> None:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add()
    record.body.array_value.SetInParent()
    checked = check("logs", request.SerializeToString())
    assert checked.slow
    assert (
        ExportLogsServiceRequest.FromString(checked.body)
        .resource_logs[0]
        .scope_logs[0]
        .log_records[0]
        .body.string_value
        == "[]"
    )


def test_unknown_fields_are_ignored_and_counted() -> None:
    unknown = field(99, b"unknown")
    checked = check("traces", request_of(span() + unknown) + unknown)
    assert checked.body == request_of(span())
    assert checked.unknown_bytes == 2 * len(unknown)
    assert checked.slow


def test_a_clients_copies_of_the_logs_own_fields_are_removed() -> None:
    forged = field(1001, b"victim") + encode_varint(1002 << 3 | 1) + bytes(8) + field(1004, ID16)
    assert check("traces", request_of(span()) + forged).body == request_of(span())


def test_invalid_utf8_is_kept() -> None:
    body = request_of(span(b"\x0a\x03a\xffb") + field(5, b"\xe2\x82"))
    assert check("traces", body).body is body


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        (b"", {}),
        (field(1, b""), {}),
        (field(1, field(2, field(2, field(1, b"name without data")))), {}),
        (field(1, field(2, field(2, field(5, b"")))), {}),
        (field(1, field(2, field(2, field(5, field(1, b""))))), {"otel_metrics_gauge": 1}),
        (field(1, field(2, field(2, field(11, field(1, b"") * 2)))), {"otel_metrics_summary": 2}),
    ],
)
def test_rows_of_metrics_are_data_points(body: bytes, rows: dict[str, int]) -> None:
    checked = check("metrics", body)
    assert checked.rows == rows
    assert checked.n_rows == sum(rows.values())


def test_a_metric_with_two_kinds_of_data_keeps_the_last_one_only() -> None:
    two = field(5, field(1, b"")) + field(7, field(1, b""))
    checked = check("metrics", field(1, field(2, field(2, two))))
    assert checked.rows == {"otel_metrics_sum": 1}
    assert b"\x2a" not in checked.body


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("body", [b"\x0a", b"\x0a\x05a", b"not protobuf", b"\xff" * 20, b"\x0b"])
def test_what_is_no_such_message_is_refused(signal: Signal, body: bytes) -> None:
    with pytest.raises(InvalidRequest, match=f"OTLP {signal} service"):
        check(signal, body)


def test_a_body_that_grows_beyond_a_record_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check_module, "MAX_BODY_BYTES", 100)
    value = field(6, field(1, field(1, b"\0" * 30) + field(2, b"\x18\x01")))
    with pytest.raises(InvalidRequest, match="the most is 100"):
        check("traces", request_of(span(value)))


def any_value(depth: int = 3) -> st.SearchStrategy[bytes]:
    scalars = st.one_of(
        st.binary(max_size=8).map(lambda b: field(1, b)),
        st.booleans().map(lambda b: bytes([0x10, b])),
        st.integers(0, 2**64 - 1).map(lambda n: b"\x18" + encode_varint(n)),
        st.binary(min_size=8, max_size=8).map(lambda b: b"\x21" + b),
        st.binary(max_size=8).map(lambda b: field(7, b)),
        st.just(b""),
    )
    return st.recursive(
        scalars,
        lambda inner: st.one_of(
            st.lists(inner.map(lambda v: field(1, v)), max_size=3).map(
                lambda vs: field(5, b"".join(vs))
            ),
            st.lists(
                st.tuples(st.binary(max_size=3), inner).map(
                    lambda kv: field(1, field(1, kv[0]) + field(2, kv[1]))
                ),
                max_size=3,
            ).map(lambda kvs: field(6, b"".join(kvs))),
        ),
        max_leaves=depth,
    )


ids16 = st.sampled_from([ID16, bytes(16), b"short", b""])
requests = st.lists(
    st.lists(st.builds(span, any_value(), trace_id=ids16), max_size=3).map(
        lambda spans: request_of(*spans)
    ),
    max_size=3,
).map(b"".join)


def n_items(signal: Signal, message: Any) -> int:
    return check_module._count_items(message, ITEM_PATH[signal])  # pyright: ignore[reportPrivateUsage]


@given(requests)
def test_kept_and_rejected_make_what_was_sent(body: bytes) -> None:
    sent = n_items("traces", request_types("traces").flat.FromString(body))
    checked = check("traces", body)
    assert checked.n_rows + checked.rejected == sent
    again = check("traces", checked.body)
    assert (again.body, again.rows, again.rejected) == (checked.body, checked.rows, 0)
    assert count_rows("traces", checked.body) == checked.rows


def mutate(body: bytes, data: st.DataObject) -> bytes:
    changed = bytearray(body)
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, max(0, len(changed) - 1)))
        match data.draw(st.sampled_from(["flip", "cut", "insert", "repeat"])):
            case "flip" if changed:
                changed[at] ^= data.draw(st.integers(1, 255))
            case "cut":
                del changed[at:]
            case "insert":
                changed[at:at] = data.draw(st.binary(max_size=4))
            case _:
                changed[at:at] = changed[at : at + 20]
    return bytes(changed)


def example(signal: Signal) -> bytes:
    return _EXAMPLES[signal]().SerializeToString()


def _traces() -> Message:
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add(schema_url="u").scope_spans.add()
    item = scope.spans.add(trace_id=ID16, span_id=ID8, name="n", flags=1)
    item.events.add(name="e", time_unix_nano=1).attributes.add(key="k").value.double_value = 1.5
    item.links.add(trace_id=ID16, span_id=ID8)
    item.kind, item.status.code = Span.SPAN_KIND_CLIENT, Status.STATUS_CODE_ERROR
    item.attributes.add(key="m").value.kvlist_value.values.add(key="x").value.int_value = 1
    return request


def _logs() -> Message:
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(severity_number=9)
    record.body.array_value.values.add().array_value.values.add().bool_value = True
    return request


def _metrics() -> Message:
    request = ExportMetricsServiceRequest()
    metrics = request.resource_metrics.add().scope_metrics.add().metrics
    metrics.add(name="g").gauge.data_points.add(as_double=1).exemplars.add(as_int=2)
    metrics.add(name="h").histogram.data_points.add(count=1, bucket_counts=[1, 2], sum=3)
    metrics.add(name="e").exponential_histogram.data_points.add(scale=-2).positive.offset = 1
    metrics.add(name="s").summary.data_points.add(count=1).quantile_values.add(quantile=0.5)
    return request


_EXAMPLES: dict[Signal, Callable[[], Message]] = {
    "traces": _traces,
    "logs": _logs,
    "metrics": _metrics,
}


@pytest.mark.parametrize("signal", SIGNALS)
@settings(max_examples=300)
@given(data=st.data())
def test_a_mutated_request_is_checked_or_refused_and_nothing_else(
    signal: Signal, data: st.DataObject
) -> None:
    body = mutate(example(signal), data)
    try:
        sent = n_items(signal, request_types(signal).flat.FromString(body))
        checked = check(signal, body)
    except (InvalidRequest, DecodeError):
        with pytest.raises(InvalidRequest):
            check(signal, body)
        return
    assert checked.n_rows + checked.rejected <= sent
    assert count_rows(signal, checked.body) == checked.rows


@pytest.mark.parametrize("n", [2, 3, 7, 1000])
def test_halves_hold_every_span_once_in_order(n: int) -> None:
    spans = [span(span_id=i.to_bytes(8, "big")) for i in range(1, n + 1)]
    body = request_of(*spans[: n // 3]) + request_of() + request_of(*spans[n // 3 :])
    halves = halve("traces", body)
    assert [count_rows("traces", half)["otel_traces"] for half in halves] == [n // 2, n - n // 2]
    ids = [
        s.span_id
        for half in halves
        for r in ExportTraceServiceRequest.FromString(half).resource_spans
        for c in r.scope_spans
        for s in c.spans
    ]
    assert ids == [i.to_bytes(8, "big") for i in range(1, n + 1)]


def test_halves_of_metrics_are_counted_in_data_points() -> None:
    body = _EXAMPLES["metrics"]().SerializeToString()
    halves = halve("metrics", body)
    rows = [count_rows("metrics", half) for half in halves]
    assert rows == [
        {"otel_metrics_gauge": 1, "otel_metrics_histogram": 1},
        {"otel_metrics_exponential_histogram": 1, "otel_metrics_summary": 1},
    ]
