"""Hostile OTLP: what a careless or malicious sender can put into one span, log record or metric.

A case is a whole request. Trace requests hold a good span before and behind the hostile one, so that a
test can see what the hostile one cost its neighbours.
"""

import json
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.conformance import messages as m

PROTOBUF, JSON = "application/x-protobuf", "application/json"
SECOND, DAY = 10**9, 86400 * 10**9


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One request; ``n_items`` spans, records or points are in it."""

    name: str
    body: bytes
    content_type: str = PROTOBUF
    path: str = "/v1/traces"
    n_items: int = 3
    may_be_refused: bool = False
    """True where refusing the whole request is right: it is not OTLP."""


def between(hostile: Span | bytes) -> bytes:
    """Return a request of a good span, the hostile one (if bytes, on the wire) and a good span."""
    raw = hostile if isinstance(hostile, bytes) else hostile.SerializeToString()
    scope = b"".join(
        m.field(2, one)
        for one in (m.span("good").SerializeToString(), raw, m.span("good").SerializeToString())
    )
    return m.field(1, m.field(1, m.resource().SerializeToString()) + m.field(2, scope))


def trace_cases(now_ns: int) -> Iterator[Case]:
    for name, span in _spans(now_ns):
        yield Case(name=name, body=between(span))
    spread = [m.span(start_time_unix_nano=now_ns - day * DAY) for day in range(1000)]
    body = m.traces(spread).SerializeToString()
    yield Case(name="one request over 1,000 days", body=body, n_items=1000)
    for levels in (49, 51, 10_001):
        yield Case(name=f"arrays {levels} deep", body=m.nested(levels))
        yield Case(name=f"maps {levels} deep", body=between(_span_with(_map_nested(levels))))
        yield Case(name=f"JSON arrays {levels} deep", body=_json_nested(levels), content_type=JSON)


def _spans(now_ns: int) -> Iterator[tuple[str, Span]]:
    y2200 = int(datetime(2200, 1, 1, tzinfo=UTC).timestamp()) * SECOND
    for name, start in {
        "start 0": 0,
        "start 1": 1,
        "start 2^63": 2**63,
        "start 2^64-1": 2**64 - 1,
        "year 2200": y2200,
        "older than the TTL": now_ns - 800 * DAY,
        "two days ahead": now_ns + 2 * DAY,
    }.items():
        yield name, m.span(start_time_unix_nano=start, end_time_unix_nano=start)
    yield "ends before it starts", m.span(start_time_unix_nano=now_ns, end_time_unix_nano=1)
    yield "10 MB attribute", m.span(attributes=[m.text("gen_ai.input.messages", "x" * 10_000_000)])
    yield "10 MB name", m.span("n" * 10_000_000)
    yield "map of a million keys", _map_of_a_million_keys()
    yield "100,000 attributes", m.span(attributes=[m.text(f"k{i}", "v") for i in range(100_000)])
    yield "10,000 events", m.span(events=[Span.Event(name=f"e{i}") for i in range(10_000)])
    yield "links with bad ids", m.span(links=[Span.Link(trace_id=b"1", span_id=bytes(99))])
    yield "enums out of range", m.span(kind=99, status={"code": 77})
    yield "negative enum", m.span(kind=-1)
    for key in INDEX_BOMBS:
        yield f"index bomb {key}", m.span(attributes=[m.text(key, "boom")])
    for text in STRANGE_JSON:
        attributes = [
            m.text("gen_ai.operation.name", "chat"),
            m.text("gen_ai.input.messages", text),
        ]
        yield f"messages {text[:12]!r}", m.span(attributes=attributes)
    for index, value in enumerate(STRANGE_NUMBERS):
        keys = ("gen_ai.usage.input_tokens", "llm.token_count.prompt", "gen_ai.request.temperature")
        attributes = [KeyValue(key=key, value=value) for key in keys]
        yield f"strange token count {index}", m.span(attributes=attributes)
    yield (
        "empty and repeated keys",
        m.span(
            attributes=[
                m.text("", "a"),
                m.text("", "b"),
                m.text("k", "1"),
                m.text("k", "2"),
                KeyValue(),
            ]
        ),
    )
    yield (
        "NUL and control characters",
        m.span("a\0b\n\x1b[31m", attributes=[m.text("\0", "\0\x7f")]),
    )
    yield "SQL in every place", m.span("'; DROP TABLE otel_traces; --", trace_state="' OR 1=1 --")


INDEX_BOMBS = (
    "gen_ai.prompt.999999999.content",
    "gen_ai.prompt.99999999999999999999999999.content",
    "gen_ai.prompt.-1.content",
    "gen_ai.prompt..content",
    "llm.input_messages.999999999.message.content",
    "llm.output_messages.4294967296.message.tool_calls.999999999.tool_call.function.name",
    "ai.prompt.messages.1e309",
)
STRANGE_JSON = (
    "[" * 10_001,
    '{"a":' * 10_001 + "1" + "}" * 10_001,
    '[{"role":"user","content":',
    '"\\"[{\\\\\\"role\\\\\\":1}]\\""',
    "null",
    "NaN",
    '[{"role":"user","content":"' + "\\ud800" * 10 + '"}]',
    "[" + "1," * 100_000 + "1]",
)
STRANGE_NUMBERS = (
    AnyValue(string_value="many"),
    AnyValue(string_value="99999999999999999999999999"),
    AnyValue(int_value=-1),
    AnyValue(int_value=2**63 - 1),
    AnyValue(int_value=-(2**63)),
    AnyValue(double_value=float("nan")),
    AnyValue(double_value=1e308),
    AnyValue(double_value=float("-inf")),
    AnyValue(bool_value=True),
    AnyValue(bytes_value=b"\xff\0"),
    AnyValue(),
)


def _span_with(value: bytes) -> bytes:
    attribute = m.field(1, b"deep") + m.field(2, value)
    return m.span("deep").SerializeToString() + m.field(9, attribute)


def _map_nested(levels: int) -> bytes:
    value = b"\x18\x01"
    for _ in range(levels):
        value = m.field(6, m.field(1, m.field(1, b"k") + m.field(2, value)))
    return value


def _json_nested(levels: int) -> bytes:
    deep = '{"arrayValue":{"values":[' * levels + '{"intValue":1}' + "]}}" * levels
    spans = [json_span(name=name) for name in ("good", "DEEP", "good")]
    body = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
    attribute = '"attributes": [{"key": "d", "value": ' + deep + "}]"
    return body.replace('"name": "DEEP"', attribute).encode()


def json_span(**fields: Any) -> dict[str, Any]:
    one = m.span()
    return {
        "traceId": one.trace_id.hex(),
        "spanId": one.span_id.hex(),
        "startTimeUnixNano": str(one.start_time_unix_nano),
        "endTimeUnixNano": str(one.end_time_unix_nano),
        **fields,
    }


def _map_of_a_million_keys() -> Span:
    value = AnyValue()
    value.kvlist_value.values.extend(
        KeyValue(key=f"k{i}", value=AnyValue(int_value=i)) for i in range(1_000_000)
    )
    return m.span(attributes=[KeyValue(key="map", value=value)])


def other_signal_cases(now_ns: int) -> Iterator[Case]:
    moments = {"0": 0, "2^63": 2**63, "2^64-1": 2**64 - 1, "800 days ago": now_ns - 800 * DAY}
    for moment, time_ns in moments.items():
        logs = m.logs()
        record = logs.resource_logs[0].scope_logs[0].log_records[0]
        record.time_unix_nano = time_ns
        record.trace_id, record.span_id = b"short", b""
        body = logs.SerializeToString()
        yield Case(name=f"log at {moment}", path="/v1/logs", body=body, n_items=1)
        metrics = m.metrics()
        gauge = metrics.resource_metrics[0].scope_metrics[0].metrics[0].gauge
        gauge.data_points[0].time_unix_nano = time_ns
        body = metrics.SerializeToString()
        yield Case(name=f"gauge at {moment}", path="/v1/metrics", body=body, n_items=5)
    body = m.logs("x" * 10_000_000).SerializeToString()
    yield Case(name="log of 10 MB", path="/v1/logs", body=body, n_items=1)
    uneven = m.metrics()
    histogram = uneven.resource_metrics[0].scope_metrics[0].metrics[2].histogram.data_points[0]
    histogram.bucket_counts.extend(range(100_000))
    histogram.sum = float("nan")
    body = uneven.SerializeToString()
    yield Case(name="histogram of 100,002 buckets", path="/v1/metrics", body=body, n_items=5)


def fuzzed(seed: int, count: int) -> Iterator[Case]:
    """Yield ``count`` requests with bytes changed, cut off, doubled or swapped."""
    rnd = random.Random(seed)
    sources: list[tuple[str, str, Callable[[], bytes]]] = [
        ("/v1/traces", PROTOBUF, lambda: m.request_of(m.TRACES).SerializeToString()),
        ("/v1/logs", PROTOBUF, lambda: m.logs().SerializeToString()),
        ("/v1/metrics", PROTOBUF, lambda: m.metrics().SerializeToString()),
        ("/v1/traces", JSON, lambda: _json_nested(2)),
    ]
    for index in range(count):
        path, content_type, make = rnd.choice(sources)
        yield Case(
            name=f"fuzz {seed}/{index}",
            path=path,
            content_type=content_type,
            body=_mutated(make(), rnd),
            may_be_refused=True,
        )


def _mutated(body: bytes, rnd: random.Random) -> bytes:
    changed = bytearray(body)
    for _ in range(rnd.choice((1, 1, 2, 8))):
        at = rnd.randrange(len(changed))
        match rnd.randrange(5):
            case 0:
                changed[at] = rnd.randrange(256)
            case 1:
                changed[at] ^= 1 << rnd.randrange(8)
            case 2:
                del changed[at : at + rnd.randrange(1, 9)]
            case 3:
                changed[at:at] = rnd.randbytes(rnd.randrange(1, 9))
            case _:
                changed[at:at] = changed[at : at + rnd.randrange(1, 99)]
        if not changed:
            break
    return bytes(changed[: rnd.randrange(len(changed) + 1)] if rnd.random() < 0.2 else changed)


def now_ns() -> int:
    return time.time_ns()
