"""OTLP/JSON to protobuf: the oracle is google.protobuf.json_format, with the ids put right."""

import base64
import math
from typing import Any

import orjson
import pytest
from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from spanloop.processor.errors import InvalidRequest
from spanloop.receiver import otlp_json
from spanloop.receiver.otlp_json import to_protobuf
from spanloop.receiver.otlp_json_messages import MAX_VALUE_DEPTH, Signal

REQUESTS: dict[Signal, type[Message]] = {
    "traces": ExportTraceServiceRequest,
    "logs": ExportLogsServiceRequest,
    "metrics": ExportMetricsServiceRequest,
}
TRACE_ID, SPAN_ID = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def convert_spans(*spans: dict[str, Any]) -> list[Span]:
    body = orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}]})
    return parse_spans(body)


def parse_spans(body: bytes) -> list[Span]:
    request = ExportTraceServiceRequest.FromString(to_protobuf("traces", body))
    return list(request.resource_spans[0].scope_spans[0].spans)


def convert_value(value: dict[str, Any]) -> AnyValue:
    (span,) = convert_spans({"attributes": [{"key": "k", "value": value}]})
    return span.attributes[0].value


# --- the oracle ---------------------------------------------------------------------------------

SCALARS: dict[int, st.SearchStrategy[Any]] = {
    FieldDescriptor.TYPE_STRING: st.text(max_size=12),
    FieldDescriptor.TYPE_BYTES: st.binary(max_size=20),
    FieldDescriptor.TYPE_BOOL: st.booleans(),
    # JSON has one NaN: the bits of others are lost on the way, whoever writes it.
    FieldDescriptor.TYPE_DOUBLE: st.floats().map(
        lambda number: math.nan if number != number else number
    ),
    FieldDescriptor.TYPE_INT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_SINT32: st.integers(-(2**31), 2**31 - 1),
    FieldDescriptor.TYPE_UINT32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_FIXED32: st.integers(0, 2**32 - 1),
    FieldDescriptor.TYPE_INT64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_SFIXED64: st.integers(-(2**63), 2**63 - 1),
    FieldDescriptor.TYPE_UINT64: st.integers(0, 2**64 - 1),
    FieldDescriptor.TYPE_FIXED64: st.integers(0, 2**64 - 1),
    FieldDescriptor.TYPE_ENUM: st.integers(0, 5),
}


def fill_inplace(draw: st.DrawFn, message: Message, depth: int) -> None:
    for field in message.DESCRIPTOR.fields:
        if draw(st.integers(0, 3)) == 0:
            continue
        if field.message_type is None:
            values = SCALARS[field.type]
            if field.is_repeated:
                getattr(message, field.name).extend(draw(st.lists(values, max_size=3)))
            else:
                setattr(message, field.name, draw(values))
        elif depth < 14:
            if field.is_repeated:
                for _ in range(draw(st.integers(0, 2))):
                    fill_inplace(draw, getattr(message, field.name).add(), depth + 1)
            else:
                getattr(message, field.name).SetInParent()
                fill_inplace(draw, getattr(message, field.name), depth + 1)


@st.composite
def requests(draw: st.DrawFn) -> tuple[Signal, Message]:
    signal = draw(st.sampled_from(sorted(REQUESTS)))
    request = REQUESTS[signal]()
    fill_inplace(draw, request, 0)
    return signal, request


def with_hex_ids(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _hex_id(v) if is_id(k) else with_hex_ids(v) for k, v in value.items()}
    if isinstance(value, list):
        return [with_hex_ids(item) for item in value]
    return value


def is_id(name: str) -> bool:
    return name in ("traceId", "spanId", "parentSpanId")


def _hex_id(text: str) -> str:
    return base64.b64decode(text).hex()


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(requests(), st.booleans())
def test_agrees_with_json_format(case: tuple[Signal, Message], defaults: bool) -> None:
    signal, request = case
    as_dict = json_format.MessageToDict(
        request, use_integers_for_enums=True, always_print_fields_with_no_presence=defaults
    )
    converted = to_protobuf(signal, orjson.dumps(with_hex_ids(as_dict)))
    again = REQUESTS[signal].FromString(converted)
    assert again.SerializeToString(deterministic=True) == request.SerializeToString(
        deterministic=True
    )


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(REQUESTS)), st.binary(max_size=60))
def test_any_bytes_are_converted_or_refused(signal: Signal, body: bytes) -> None:
    try:
        converted = to_protobuf(signal, body)
    except InvalidRequest:
        return
    REQUESTS[signal].FromString(converted)


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "resourceSpans",
                    "scopeSpans",
                    "spans",
                    "attributes",
                    "key",
                    "value",
                    "traceId",
                    "stringValue",
                    "intValue",
                    "arrayValue",
                    "kvlistValue",
                    "values",
                    "kind",
                    "x",
                ]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(JSON_VALUES)
def test_any_json_is_converted_or_refused(value: Any) -> None:
    try:
        converted = to_protobuf("traces", orjson.dumps(value))
    except InvalidRequest:
        return
    ExportTraceServiceRequest.FromString(converted)


# --- ids ----------------------------------------------------------------------------------------


def test_ids_are_hex_in_any_case() -> None:
    lower, upper = convert_spans(
        {"traceId": TRACE_ID, "spanId": SPAN_ID, "parentSpanId": SPAN_ID},
        {"traceId": TRACE_ID.upper(), "spanId": SPAN_ID.upper(), "parentSpanId": SPAN_ID.upper()},
    )
    assert lower == upper
    assert lower.trace_id == bytes.fromhex(TRACE_ID)
    assert lower.parent_span_id == bytes.fromhex(SPAN_ID)


@pytest.mark.parametrize(
    ("text", "raw"), [("0102", b"\1\2"), ("", b""), ("xyz", b""), ("123", b""), ("é" * 32, b"")]
)
def test_a_bad_id_reaches_the_check_of_its_span(text: str, raw: bytes) -> None:
    bad, good = convert_spans({"traceId": text}, {"traceId": TRACE_ID})
    assert (bad.trace_id, good.trace_id) == (raw, bytes.fromhex(TRACE_ID))


# --- numbers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0, 0),
        ("0", 0),
        (-5, -5),
        ("-9223372036854775808", -(2**63)),
        (9223372036854775807, 2**63 - 1),
        (3.0, 3),
    ],
)
def test_64_bit_integers_are_numbers_or_strings(value: object, number: int) -> None:
    assert convert_value({"intValue": value}).int_value == number


@pytest.mark.parametrize("value", [2**63, "9223372036854775808", 1.5, "", " 1", "1_0", "0x1", True])
def test_other_integers_are_refused(value: object) -> None:
    with pytest.raises(InvalidRequest, match="int_value"):
        convert_value({"intValue": value})


def test_times_reach_the_end_of_uint64() -> None:
    (span,) = convert_spans({"startTimeUnixNano": str(2**64 - 1), "endTimeUnixNano": 2**64 - 1})
    assert (span.start_time_unix_nano, span.end_time_unix_nano) == (2**64 - 1, 2**64 - 1)
    with pytest.raises(InvalidRequest, match="out of range"):
        convert_spans({"startTimeUnixNano": str(2**64)})


@pytest.mark.parametrize(
    ("value", "text"),
    [(1, "1.0"), ("1.5e3", "1500.0"), ("NaN", "nan"), ("Infinity", "inf"), ("-Infinity", "-inf")],
)
def test_doubles(value: object, text: str) -> None:
    assert str(convert_value({"doubleValue": value}).double_value) == text


@pytest.mark.parametrize("value", ["nan", "inf", "1_0", "", True, []])
def test_other_doubles_are_refused(value: object) -> None:
    with pytest.raises(InvalidRequest, match="double_value"):
        convert_value({"doubleValue": value})


@pytest.mark.parametrize(("kind", "number"), [(2, 2), ("2", 2), ("SPAN_KIND_CLIENT", 3), ("?", 0)])
def test_enums_are_integers_and_names_are_understood(kind: object, number: int) -> None:
    (span,) = convert_spans({"kind": kind})
    assert span.kind == number


@pytest.mark.parametrize("text", ["+/8=", "-_8=", "-_8", "+/8"])
def test_bytes_are_base64(text: str) -> None:
    assert convert_value({"bytesValue": text}).bytes_value == b"\xfb\xff"


@pytest.mark.parametrize("text", ["a", "????", "é", 5])
def test_other_bytes_are_refused(text: object) -> None:
    with pytest.raises(InvalidRequest, match="base64"):
        convert_value({"bytesValue": text})


# --- names and shapes ---------------------------------------------------------------------------


def test_unknown_and_snake_case_fields_are_ignored_and_counted() -> None:
    body = orjson.dumps(
        {
            "new": 1,
            "resource_spans": [{}],
            "resourceSpans": [
                {
                    "newer": {"deep": [1]},
                    "scopeSpans": [
                        {
                            "spans": [
                                {
                                    "name": "kept",
                                    "trace_id": TRACE_ID,
                                    "attributes": [
                                        {"key": "a", "value": {"intValue": 1, "v": 2}, "x": None},
                                        {"key": "b", "value": {"arrayValue": {"extra": 1}}},
                                    ],
                                }
                            ]
                        }
                    ],
                }
            ],
        }
    )
    converted = otlp_json.convert("traces", body)
    (span,) = parse_spans(body)
    assert (span.name, span.trace_id) == ("kept", b"")
    assert span.attributes[0].value.int_value == 1
    assert span.attributes[1].value.HasField("array_value")
    assert converted.unknown_fields == 7


def test_null_is_absent() -> None:
    (span, empty) = convert_spans(
        {"name": None, "attributes": None, "status": None, "kind": None}, {}
    )
    assert span == empty
    assert parse_spans(b'{"resourceSpans":[{"scopeSpans":[{"spans":[null]}]}]}') == [Span()]
    assert to_protobuf("traces", b"{}") == b""


def test_the_last_of_duplicate_keys_wins() -> None:
    spans = parse_spans(b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a","name":"b"}]}]}]}')
    assert spans[0].name == "b"


def test_presence_of_zero_false_and_empty_is_kept() -> None:
    values: list[dict[str, Any]] = [{"intValue": 0}, {"boolValue": False}, {"stringValue": ""}, {}]
    kinds = [convert_value(value).WhichOneof("value") for value in values]
    assert kinds == ["int_value", "bool_value", "string_value", None]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b'"text"',
        b"null",
        b"{",
        b'{"resourceSpans": NaN}',
        b'{"resourceSpans": {}}',
        b'{"resourceSpans": [5]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": 5}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": {}}]}]}]}',
        b'{"resourceSpans": [{"scopeSpans": [{"spans": [{"attributes": [7]}]}]}]}',
        b"{}{}",
        b"{'a': 1}",
        b"\x1f\x8b\x08",
    ],
)
def test_what_is_not_a_request_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        to_protobuf("traces", body)


def test_errors_carry_no_payload() -> None:
    secret = b'{"resourceSpans": "sk-secret", "sk-secret'
    with pytest.raises(InvalidRequest) as caught:
        to_protobuf("traces", secret)
    assert "sk-secret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


# --- text that is almost JSON -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (rb"\ud800", "\ufffd"),
        (rb"a\udc00b", "a\ufffdb"),
        (rb"\ud83d\ude00\ud83d", "\U0001f600\ufffd"),
        (rb"\ud800\ud83d\ude00", "\ufffd\U0001f600"),
        (rb"\\ud800 \ud800", "\\ud800 \ufffd"),
        (b"\xff\xfe", "\ufffd\ufffd"),
    ],
)
def test_bad_text_is_repaired_not_refused(written: bytes, read: str) -> None:
    body = b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"' + written + b'"}]}]}]}'
    (span,) = parse_spans(body)
    assert span.name == read


def test_a_byte_order_mark_is_dropped() -> None:
    assert to_protobuf("logs", b"\xef\xbb\xbf{}") == b""


# --- nesting ------------------------------------------------------------------------------------

ARRAY = (b'{"arrayValue":{"values":[', b"]}}")
KVLIST = (b'{"kvlistValue":{"values":[{"key":"k","value":', b"}]}}")


def request_with_nested(levels: int, form: tuple[bytes, bytes]) -> bytes:
    value = form[0] * levels + b'{"intValue":1}' + form[1] * levels
    return (
        b'{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"before"},{"name":"deep","attributes":'
        b'[{"key":"d","value":' + value + b'}]},{"name":"after"}]}]}]}'
    )


def depth_on_the_wire(body: bytes, tags: tuple[int, ...]) -> int:
    """Follow one chain of single-element containers down, without a recursive parser."""
    depth = 0
    while body and body[0] in tags:
        i = 1
        while body[i] & 0x80:
            i += 1
        body = body[i + 1 :]
        depth += 1
    return depth


@pytest.mark.parametrize("form", [ARRAY, KVLIST], ids=["array", "kvlist"])
@pytest.mark.parametrize("levels", [0, 1, 20])
def test_nested_values_arrive(levels: int, form: tuple[bytes, bytes]) -> None:
    value = parse_spans(request_with_nested(levels, form))[1].attributes[0].value
    for _ in range(levels):
        inner = value.array_value.values or [e.value for e in value.kvlist_value.values]
        value = inner[0]
    assert value.int_value == 1


@pytest.mark.parametrize("form", [ARRAY, KVLIST], ids=["array", "kvlist"])
@pytest.mark.parametrize("levels", [49, 51, 330, 400, 10_001, 30_000])
def test_deep_values_neither_crash_nor_cost_the_others(
    levels: int, form: tuple[bytes, bytes]
) -> None:
    body = to_protobuf("traces", request_with_nested(levels, form))
    for name in (b"before", b"deep", b"after"):
        assert name in body
    assert len(body) < 100 + 20 * (min(levels, MAX_VALUE_DEPTH) + 2)


@pytest.mark.parametrize("levels", [49, 51, 10_001])
def test_deep_arrays_keep_a_depth_that_the_receiver_refuses(levels: int) -> None:
    body = to_protobuf("traces", request_with_nested(levels, ARRAY))
    start = body.index(b"\n\x01d\x12") + 4
    while body[start - 1] & 0x80 or body[start] not in (0x2A, 0x18):
        start += 1
    # arrayValue is field 5, ArrayValue.values field 1: two tags a level
    assert depth_on_the_wire(body[start:], (0x2A, 0x0A)) // 2 == min(levels, MAX_VALUE_DEPTH - 1)


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"a":' + b"[" * 5_000 + b"}"]
)
def test_endless_nesting_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidRequest):
        to_protobuf("traces", body)


def test_deep_unknown_fields_are_ignored() -> None:
    body = b'{"x":' + b"[" * 20_000 + b'"]"' + b"]" * 20_000 + b',"resourceSpans":[{}]}'
    assert (
        len(ExportTraceServiceRequest.FromString(to_protobuf("traces", body)).resource_spans) == 1
    )
