"""The JSON encoding of OTLP, as seen from outside."""

import json
import time
from typing import Any

import pytest

from tests.conformance import messages as m
from tests.conformance.messages import LOGS, METRICS, TRACES
from tests.conformance.target import JSON, RETRYABLE_HTTP, Reply, Target

clause = pytest.mark.clause
TRACE_ID, SPAN_ID = "5b8aa5a2d2c872e8321cf37308d69df2", "051581bf3cb55c13"


def span(**fields: Any) -> dict[str, Any]:
    now = time.time_ns()
    return {
        "traceId": TRACE_ID,
        "spanId": SPAN_ID,
        "name": "chat model",
        "kind": 3,
        "startTimeUnixNano": str(now - 1000),
        "endTimeUnixNano": str(now),
        **fields,
    }


def send(target: Target, *spans: dict[str, Any], **top: Any) -> Reply:
    request = {"resourceSpans": [{"scopeSpans": [{"spans": list(spans)}]}], **top}
    return target.post(TRACES.path, json.dumps(request).encode(), JSON)


def rejected(reply: Reply) -> int:
    assert reply.status == 200, f"{reply.status}: {reply.body[:200]!r}"
    return m.rejected(TRACES, reply.message(TRACES.response))[0]


def value(key: str, **any_value: Any) -> dict[str, Any]:
    return {"key": key, "value": any_value}


@clause("must", "JSON: trace and span ids are hex, in any case")
@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_hex_ids(target: Target, case: Any) -> None:
    ids = {"traceId": case(TRACE_ID), "spanId": case(SPAN_ID), "parentSpanId": case(SPAN_ID)}
    assert rejected(send(target, span(**ids))) == 0


@clause("must", "JSON: ids are not base64")
def test_base64_ids(target: Target) -> None:
    reply = send(target, span(traceId="W4qloqLSyHLogyHPcwjWnw=="))
    assert reply.status == 400 or rejected(reply) == 1


@clause("should", "JSON: an id that is not hex costs its span at most")
@pytest.mark.parametrize("bad", ["zz", "5b8aa5a2", "g" * 32])
def test_bad_hex_id(target: Target, bad: str) -> None:
    assert rejected(send(target, span(), span(traceId=bad))) == 1


@clause("must", "JSON: 64-bit integers are numbers or decimal strings")
@pytest.mark.parametrize("number", [0, -1, 2**53 + 1, 2**63 - 1, -(2**63)])
@pytest.mark.parametrize("form", [int, str], ids=["number", "string"])
def test_64_bit_integers(target: Target, form: Any, number: int) -> None:
    now = time.time_ns()
    one = span(
        startTimeUnixNano=form(now),
        endTimeUnixNano=form(now + 1),
        attributes=[value("n", intValue=form(number))],
    )
    assert rejected(send(target, one)) == 0


@clause("must", "JSON: enums are integers")
@pytest.mark.parametrize("kind", range(6))
def test_enums(target: Target, kind: int) -> None:
    assert rejected(send(target, span(kind=kind, status={"code": kind % 3}))) == 0


@clause("must", "JSON: unknown fields are ignored on every level")
def test_unknown_fields(target: Target) -> None:
    new: dict[str, Any] = {"fromTheFuture": [{"a": [1, "x", None]}], "another": 1.5}
    one = span(attributes=[{**value("k", stringValue="v"), **new}], **new)
    request = {
        "resourceSpans": [
            {"resource": {**new}, "scopeSpans": [{"scope": {**new}, "spans": [one], **new}], **new}
        ],
        **new,
    }
    assert rejected(target.post(TRACES.path, json.dumps(request).encode(), JSON)) == 0


@clause("must", "JSON: names are lowerCamelCase; original field names are unknown")
def test_snake_case(target: Target) -> None:
    assert rejected(send(target, span(trace_id=5, start_time_unix_nano=[]), resource_spans=7)) == 0


@clause("must", "JSON: every kind of attribute value")
def test_values(target: Target) -> None:
    attributes = [
        value("string", stringValue='é\U0001f600 "quoted" \\ \u0000'),
        value("bool", boolValue=False),
        value("double", doubleValue=0.5),
        value("whole double", doubleValue=3),
        value("not a number", doubleValue="NaN"),
        value("infinite", doubleValue="Infinity"),
        value("minus infinite", doubleValue="-Infinity"),
        value("bytes", bytesValue="AAEC/w=="),
        value("array", arrayValue={"values": [{"stringValue": "stop"}, {"intValue": "1"}, {}]}),
        value("empty array", arrayValue={}),
        value("map", kvlistValue={"values": [value("inner", intValue=1)]}),
        value("empty"),
    ]
    assert rejected(send(target, span(attributes=attributes))) == 0


@clause("must", "JSON: white space and escapes are JSON's")
def test_pretty_printed(target: Target) -> None:
    request = {"resourceSpans": [{"scopeSpans": [{"spans": [span(name="é\U0001f600")]}]}]}
    for ascii_only in (True, False):
        body = "\n " + json.dumps(request, indent=4, ensure_ascii=ascii_only) + "\r\n\t"
        assert rejected(target.post(TRACES.path, body.encode(), JSON)) == 0


@clause("should", "JSON: null is an absent field")
def test_null(target: Target) -> None:
    assert rejected(send(target, span(attributes=None, parentSpanId=None, status=None))) == 0


@clause("must", "JSON: numbers out of range are refused for good, never a crash")
@pytest.mark.parametrize("number", [2**64, 10**30, -1, 1.5, "9" * 400, "0x10", ""])
def test_out_of_range(target: Target, number: object) -> None:
    reply = send(target, span(startTimeUnixNano=number))
    assert reply.status < 500
    assert reply.status not in RETRYABLE_HTTP
    assert target.is_alive()


@clause("should", "JSON: a value nested too deep costs at most its span")
@pytest.mark.parametrize("levels", [20, 49, 51, 10_001])
def test_nesting(target: Target, levels: int) -> None:
    deep = '{"arrayValue":{"values":[' * levels + '{"intValue":1}' + "]}}" * levels
    spans = [span(), span(name="DEEP"), span()]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
    body = body.replace('"name": "DEEP"', '"attributes": [{"key": "d", "value": ' + deep + "}]")
    reply = target.post(TRACES.path, body.encode(), JSON)
    assert rejected(reply) <= (1 if levels > 20 else 0)
    assert target.is_alive()


@clause("must", "JSON: nesting without end is refused for good, never a crash")
@pytest.mark.parametrize("body", [b"[" * 200_000, b'{"resourceSpans":' * 50_000], ids=["[", "{"])
def test_endless_nesting(target: Target, body: bytes) -> None:
    reply = target.post(TRACES.path, body, JSON)
    assert 400 <= reply.status < 500
    assert target.is_alive()


@clause("must", "JSON: logs of every body type")
def test_logs(target: Target) -> None:
    bodies: list[dict[str, Any]] = [
        {"stringValue": "text"},
        {"kvlistValue": {"values": [value("role", stringValue="user")]}},
        {"arrayValue": {"values": [{"stringValue": "a"}]}},
        {},
    ]
    records = [
        {
            "timeUnixNano": str(time.time_ns()),
            "observedTimeUnixNano": time.time_ns(),
            "severityNumber": 9,
            "eventName": "gen_ai.client.inference.operation.details",
            "traceId": TRACE_ID.upper(),
            "spanId": SPAN_ID,
            "body": body,
        }
        for body in bodies
    ]
    request = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    reply = target.post(LOGS.path, json.dumps(request).encode(), JSON)
    assert reply.status == 200, reply.body[:200]
    assert m.rejected(LOGS, reply.message(LOGS.response))[0] == 0


@clause("must", "JSON: metrics of all five kinds")
def test_metrics(target: Target) -> None:
    now = str(time.time_ns())
    point = {"timeUnixNano": now, "startTimeUnixNano": now, "count": "2", "sum": 1.5}
    buckets = {"offset": -3, "bucketCounts": ["1", 1]}
    quantiles = [{"quantile": 0.5, "value": 1}]
    kinds: list[dict[str, Any]] = [
        {"gauge": {"dataPoints": [{"timeUnixNano": now, "asDouble": "NaN"}]}},
        {"sum": {"aggregationTemporality": 2, "dataPoints": [{"timeUnixNano": now, "asInt": "7"}]}},
        {
            "histogram": {
                "aggregationTemporality": 1,
                "dataPoints": [{**point, "bucketCounts": ["1", 1], "explicitBounds": [1]}],
            }
        },
        {
            "exponentialHistogram": {
                "aggregationTemporality": 1,
                "dataPoints": [{**point, "scale": -1, "zeroCount": "0", "positive": buckets}],
            }
        },
        {"summary": {"dataPoints": [{**point, "quantileValues": quantiles}]}},
    ]
    listed = [{"name": f"m{i}", "unit": "1", **kind} for i, kind in enumerate(kinds)]
    request = {"resourceMetrics": [{"scopeMetrics": [{"metrics": listed}]}]}
    reply = target.post(METRICS.path, json.dumps(request).encode(), JSON)
    assert reply.status == 200, reply.body[:200]
    assert m.rejected(METRICS, reply.message(METRICS.response))[0] == 0
