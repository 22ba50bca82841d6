"""Requests to send, cheap enough that the load generator does not drown the server on a small machine.

A pool of requests is serialised once. Sending one copies its bytes and writes new trace, span, conversation
and response ids and new times over the old ones, all at places noted when it was built.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from opentelemetry.proto.common.v1.common_pb2 import (
    AnyValue,
    ArrayValue,
    InstrumentationScope,
    KeyValue,
    KeyValueList,
)
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from benchmarks.ingest_dialects import (
    CONVERSATION,
    DIALECTS,
    RESPONSE,
    ROLES,
    Attributes,
    Draft,
    Value,
    Words,
)

Bytes = npt.NDArray[np.uint8]
Places = npt.NDArray[np.intp]
SPANS_A_TRACE = len(ROLES)
POOL = (
    16  # requests serialised ahead; with 1,000 spans each no block of the database sees one twice
)

# What stands in a template where something new is written on each sending. No text holds these bytes.
_TRACE, _SPAN, _PARENT = b"\xfa" * 16, b"\xfb" * 8, b"\xfc" * 8
_START, _END, _EVENT = 0xFDFDFDFDFDFDFDFD, 0xFEFEFEFEFEFEFEFE, 0xEFEFEFEFEFEFEFEF
_KINDS = {"agent": Span.SPAN_KIND_INTERNAL, "tool": Span.SPAN_KIND_INTERNAL}


@dataclass(frozen=True, slots=True)
class _Slot:
    """Places of one kind of value in a template, and which trace or span each belongs to."""

    places: Places
    owner: Places

    def write_inplace(self, target: Bytes, values: Bytes) -> None:
        """Write row ``owner`` of ``values`` at each place."""
        if len(self.places):
            width = values.shape[1]
            target[self.places[:, None] + np.arange(width)] = values[self.owner]


class Template:
    """A serialised request of ``n_spans`` and the places of what changes."""

    def __init__(self, words: Words, n_spans: int, scopes: Sequence[str], *, nested: bool) -> None:
        self.n_spans = n_spans
        self.n_attributes = 0
        body, spans = self._build(words, n_spans, scopes, nested=nested)
        self._body: Bytes = np.frombuffer(body, np.uint8)
        self.n_bytes = len(body)
        self._slots = {
            mark: _find(body, spans, mark)
            for mark in (
                _TRACE, _SPAN, _PARENT, _le(_START), _le(_END), _le(_EVENT),
                CONVERSATION.encode(), RESPONSE.encode(),
            )
        }  # fmt: skip

    def render(self, rng: np.random.Generator, now_ns: int) -> bytes:
        """Return the request with new ids, its traces begun within the last 10 s."""
        body = self._body.copy()
        n = self.n_spans
        n_traces = -(-n // SPANS_A_TRACE)
        trace_of = np.arange(n) // SPANS_A_TRACE
        span_ids = _random(rng, n, 8)
        begun = now_ns - rng.integers(10**9, 10**10, n_traces)
        starts = begun[trace_of] + np.arange(n) % SPANS_A_TRACE * 50_000_000
        ends = starts + rng.integers(10**6, 10**9, n)
        values: dict[bytes, Bytes] = {
            _TRACE: _random(rng, n_traces, 16)[trace_of],
            _SPAN: span_ids,
            _PARENT: span_ids[trace_of * SPANS_A_TRACE],
            _le(_START): _as_bytes(starts),
            _le(_END): _as_bytes(ends),
            _le(_EVENT): _as_bytes(starts + 5_000_000),
            CONVERSATION.encode(): _hex(_random(rng, n_traces, 8))[trace_of],
            RESPONSE.encode(): _hex(_random(rng, n, 8)),
        }
        for mark, slot in self._slots.items():
            slot.write_inplace(body, values[mark])
        return body.tobytes()

    def _build(
        self, words: Words, n_spans: int, scopes: Sequence[str], *, nested: bool
    ) -> tuple[bytes, list[int]]:
        """Return the body and where each span begins in it."""
        resources: list[bytes] = []
        heads: list[tuple[int, list[int]]] = []
        share = -(-n_spans // len(scopes) // SPANS_A_TRACE) * SPANS_A_TRACE
        done = 0
        for scope in scopes:
            spans: list[bytes] = []
            for i in range(min(share, n_spans - done)):
                role = ROLES[i % SPANS_A_TRACE]
                span = _span(DIALECTS[scope](words, role), role, nested=nested)
                self.n_attributes += len(span.attributes)
                spans.append(_field(2, span.SerializeToString()))
            done += len(spans)
            scope_head = _field(
                1, InstrumentationScope(name=scope, version="1.0").SerializeToString()
            )
            resource = Resource(attributes=_attributes(_resource(words)))
            scoped = _field(2, scope_head + b"".join(spans))
            inner = _field(1, resource.SerializeToString()) + scoped
            whole = _field(1, inner)
            offset = len(whole) - sum(map(len, spans))
            heads.append((offset, [len(span) for span in spans]))
            resources.append(whole)
        return b"".join(resources), _begins(resources, heads)


class RequestPool:
    """Draws requests of ``batch`` spans of all dialects (small ones: of one dialect each, in turn)."""

    def __init__(self, batch: int, *, seed: int = 1, nested: bool = False) -> None:
        words = Words(random.Random(seed))
        scopes = list(DIALECTS)
        whole = batch >= len(scopes) * SPANS_A_TRACE
        self._templates = [
            Template(words, batch, scopes if whole else [scopes[i % len(scopes)]], nested=nested)
            for i in range(POOL)
        ]
        self.batch = batch
        self._rng = np.random.default_rng(seed=None)  # ids must differ between runs
        self._next = 0

    @property
    def bytes_per_span(self) -> float:
        """Mean size of a span on the wire."""
        return sum(t.n_bytes for t in self._templates) / (POOL * self.batch)

    @property
    def attributes_per_span(self) -> float:
        """Mean number of span attributes."""
        return sum(t.n_attributes for t in self._templates) / (POOL * self.batch)

    def draw(self, now_ns: int) -> bytes:
        """Return the next request."""
        template = self._templates[self._next % POOL]
        self._next += 1
        return template.render(self._rng, now_ns)


def _span(draft: Draft, role: str, *, nested: bool) -> Span:
    attributes = _attributes(draft.attributes)
    if nested:
        inner = KeyValueList(values=_attributes({"order": "W123", "items": ["a", "b"]}))
        attributes.append(KeyValue(key="app.context", value=AnyValue(kvlist_value=inner)))
    return Span(
        trace_id=_TRACE,
        span_id=_SPAN,
        parent_span_id=b"" if role == "agent" else _PARENT,
        name=draft.name,
        kind=_KINDS.get(role, Span.SPAN_KIND_CLIENT),
        start_time_unix_nano=_START,
        end_time_unix_nano=_END,
        attributes=attributes,
        events=[
            Span.Event(name=name, time_unix_nano=_EVENT, attributes=_attributes(values))
            for name, values in draft.events
        ],
        flags=256,
    )


def _resource(words: Words) -> Attributes:
    return {
        "service.name": f"agent-{words.number(6)}",
        "telemetry.sdk.language": "python",
        "deployment.environment.name": "prod",
    }


def _attributes(values: Attributes) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in values.items()]


def _value(value: Value) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, list):
        return AnyValue(array_value=ArrayValue(values=[_value(item) for item in value]))
    return AnyValue(string_value=value)


def _field(number: int, content: bytes) -> bytes:
    length, size = bytearray(), len(content)
    while size > 0x7F:
        length.append(size & 0x7F | 0x80)
        size >>= 7
    length.append(size)
    return bytes([number << 3 | 2]) + bytes(length) + content


def _begins(resources: list[bytes], heads: list[tuple[int, list[int]]]) -> list[int]:
    begins: list[int] = []
    position = 0
    for whole, (offset, lengths) in zip(resources, heads, strict=True):
        at = position + offset
        for length in lengths:
            begins.append(at)
            at += length
        position += len(whole)
    return begins


def _find(body: bytes, begins: list[int], mark: bytes) -> _Slot:
    places: list[int] = []
    owners: list[int] = []
    ends = [*begins[1:], len(body)]
    for owner, (begin, end) in enumerate(zip(begins, ends, strict=True)):
        at = body.find(mark, begin, end)
        while at != -1:
            places.append(at)
            owners.append(owner)
            at = body.find(mark, at + len(mark), end)
    return _Slot(np.array(places, np.intp), np.array(owners, np.intp))


def _le(value: int) -> bytes:
    return value.to_bytes(8, "little")


def _as_bytes(values: npt.NDArray[np.int64]) -> Bytes:
    return values.astype("<u8").view(np.uint8).reshape(-1, 8)


def _random(rng: np.random.Generator, rows: int, width: int) -> Bytes:
    return np.frombuffer(rng.bytes(rows * width), np.uint8).reshape(rows, width)


def _hex(values: Bytes) -> Bytes:
    return np.frombuffer(values.tobytes().hex().encode(), np.uint8).reshape(len(values), -1)
