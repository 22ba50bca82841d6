"""Check a request once, in C, and make it what the database's schema can read.

The common request is parsed, compared and passed on as the very bytes that arrived. Only one that holds
maps or nested arrays, unknown fields or an unusual encoding is written anew.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import DecodeError, Message

from spanloop.processor.errors import InvalidRequest
from spanloop.receiver.complex_values import (
    EMPTY_ARRAY_MARKS,
    Redact,
    flatten_inplace,
    redact_inplace,
)
from spanloop.receiver.otlp_messages import ITEM_PATH, Signal, request_types
from spanloop.receiver.record import MAX_BODY_BYTES

METRIC_TABLES: Mapping[str, str] = {
    "gauge": "otel_metrics_gauge",
    "sum": "otel_metrics_sum",
    "histogram": "otel_metrics_histogram",
    "exponential_histogram": "otel_metrics_exponential_histogram",
    "summary": "otel_metrics_summary",
}
_NO_TRACE_ID = bytes(16)
_NO_SPAN_ID = bytes(8)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A request that can be logged.

    ``body`` is ready for the log. ``rows`` says how many rows each target table gets. ``rejected`` counts
    items left out for the reason in ``message`` (both belong into ``partial_success``). ``slow`` tells that
    the request was rewritten, ``unknown_bytes`` how much of it no field is known for.
    """

    body: bytes
    rows: Mapping[str, int]
    rejected: int = 0
    message: str = ""
    slow: bool = False
    unknown_bytes: int = 0

    @property
    def n_rows(self) -> int:
        """Rows over all targets."""
        return sum(self.rows.values())


@dataclass(slots=True)
class _Rejections:
    """Counts rejected items by reason."""

    reasons: Counter[str] = field(default_factory=Counter[str])

    @property
    def message(self) -> str:
        return "; ".join(f"{count} rejected: {reason}" for reason, count in self.reasons.items())


def check(signal: Signal, body: bytes, *, redact: Redact | None = None) -> Checked:
    """Check ``body``, an Export…ServiceRequest of ``signal`` in protobuf; ``redact`` its text values.

    Raises:
        InvalidRequest: it is not such a message.
    """
    rejections = _Rejections()
    flat = request_types(signal).flat
    message = _parse(flat, body, signal)
    message.DiscardUnknownFields()
    known_size = message.ByteSize()
    unknown_bytes = 0
    # The size costs as much as the parse, so it is taken once where the body is encoded as usual.
    slow = (
        redact is not None
        or EMPTY_ARRAY_MARKS[signal] in body
        or (known_size != len(body) and known_size != _parse(flat, body, signal).ByteSize())
    )
    if slow:
        message, unknown_bytes = _rewrite(signal, body, rejections, redact)
        known_size = message.ByteSize()
        if known_size > MAX_BODY_BYTES:
            raise InvalidRequest(
                f"the body is {known_size} bytes with its maps written as JSON; the most is {MAX_BODY_BYTES}"
            )
    if signal == "traces":
        _reject_bad_spans_inplace(message, rejections)
    if slow or rejections.reasons or known_size != len(body):
        body = message.SerializeToString()
    return Checked(
        body=body,
        rows=_COUNT_ROWS[signal](message),
        rejected=rejections.reasons.total(),
        message=rejections.message,
        slow=slow,
        unknown_bytes=unknown_bytes,
    )


def count_rows(signal: Signal, body: bytes) -> Mapping[str, int]:
    """Return the rows per target table of a ``body`` that was checked before."""
    return _COUNT_ROWS[signal](_parse(request_types(signal).flat, body, signal))


def halve(signal: Signal, body: bytes) -> tuple[bytes, bytes]:
    """Divide a checked ``body`` into two requests of half its rows each."""
    n_rows = sum(count_rows(signal, body).values())
    middle = n_rows // 2
    return _only_rows(signal, body, 0, middle), _only_rows(signal, body, middle, n_rows)


def _only_rows(signal: Signal, body: bytes, first: int, end: int) -> bytes:
    message = _parse(request_types(signal).flat, body, signal)
    at = 0
    for rows in _row_lists(message, ITEM_PATH[signal]):
        n_rows = len(rows)
        del rows[max(0, end - at) :]
        del rows[: max(0, first - at)]
        at += n_rows
    return message.SerializeToString()


def _row_lists(message: Any, path: Sequence[str]) -> Iterator[Any]:
    """Yield the repeated fields whose members become rows: spans, log records, data points."""
    name, *below = path
    children = getattr(message, name)
    if below:
        for child in children:
            yield from _row_lists(child, below)
    elif name == "metrics":
        for metric in children:
            kind = metric.WhichOneof("data")
            if kind is not None:
                yield getattr(metric, kind).data_points
    else:
        yield children


def _parse(message_type: type[Message], body: bytes, signal: Signal) -> Message:
    try:
        return message_type.FromString(body)
    except DecodeError:
        raise InvalidRequest(
            f"the body is not a valid protobuf message of the OTLP {signal} service"
        ) from None


def _rewrite(
    signal: Signal, body: bytes, rejections: _Rejections, redact: Redact | None
) -> tuple[Message, int]:
    """Return the flat form of a request with complex values, and its bytes of unknown fields."""
    types = request_types(signal)
    full = types.full()
    if not _merge_inplace(full, body):
        flat = _parse(types.flat, body, signal)
        _merge_leniently_inplace(full, flat, ITEM_PATH[signal], rejections)
    size = full.ByteSize()
    full.DiscardUnknownFields()
    unknown_bytes = size - full.ByteSize()
    flatten_inplace(full)
    if redact is not None:
        redact_inplace(full, redact)
    return _parse(types.flat, full.SerializeToString(), signal), unknown_bytes


def _merge_leniently_inplace(
    target: Any, source: Any, path: Sequence[str], rejections: _Rejections
) -> bool:
    """Fill ``target`` (full) from ``source`` (flat); return whether anything of it could be kept.

    What is nested too deep costs only itself: a span (log record, metric), or all below a resource or scope
    whose own attributes are. ``path`` names the fields from here down to the items.
    """
    if _merge_inplace(target, source.SerializeToString()):
        return True
    if not path:
        return False
    name, *below = path
    head = type(source)()
    head.CopyFrom(source)
    head.ClearField(name)
    if not _merge_inplace(target, head.SerializeToString()):
        return False
    children = getattr(target, name)
    for child in getattr(source, name):
        if not _merge_leniently_inplace(children.add(), child, below, rejections):
            del children[-1]
            rejections.reasons["nested too deeply"] += _count_items(child, below)
    return True


def _merge_inplace(target: Message, body: bytes) -> bool:
    try:
        target.MergeFromString(body)
    except DecodeError:
        target.Clear()
        return False
    return True


def _count_items(message: Any, path: Sequence[str]) -> int:
    """Count what a response calls rejected: spans, log records, data points."""
    if path:
        return sum(_count_items(child, path[1:]) for child in getattr(message, path[0]))
    kind = message.WhichOneof("data") if "data" in message.DESCRIPTOR.oneofs_by_name else None
    return len(getattr(message, kind).data_points) if kind else 1


def _reject_bad_spans_inplace(request: Any, rejections: _Rejections) -> None:
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            n_bad = sum(not _has_valid_ids(span) for span in scope.spans)
            if n_bad:
                rejections.reasons["trace_id must be 16 and span_id 8 bytes, not all zero"] += n_bad
                kept = type(scope)()
                kept.spans.extend(span for span in scope.spans if _has_valid_ids(span))
                scope.ClearField("spans")
                scope.MergeFrom(kept)


def _has_valid_ids(span: Any) -> bool:
    trace_id, span_id = span.trace_id, span.span_id
    return (
        len(trace_id) == 16
        and len(span_id) == 8
        and trace_id != _NO_TRACE_ID
        and span_id != _NO_SPAN_ID
    )


def _count_spans(request: Any) -> Mapping[str, int]:
    return {
        "otel_traces": sum(
            len(scope.spans)
            for resource in request.resource_spans
            for scope in resource.scope_spans
        )
    }


def _count_log_records(request: Any) -> Mapping[str, int]:
    return {
        "otel_logs": sum(
            len(scope.log_records)
            for resource in request.resource_logs
            for scope in resource.scope_logs
        )
    }


def _count_data_points(request: Any) -> Mapping[str, int]:
    rows: Counter[str] = Counter()
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                kind: str | None = metric.WhichOneof("data")
                if kind is not None:
                    rows[METRIC_TABLES[kind]] += len(getattr(metric, kind).data_points)
    return {table: n for table, n in rows.items() if n}


_COUNT_ROWS: Mapping[Signal, Callable[[Any], Mapping[str, int]]] = {
    "traces": _count_spans,
    "logs": _count_log_records,
    "metrics": _count_data_points,
}
