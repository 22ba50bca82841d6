"""Spans that are still too large for Jaeger after the statement has cut each of their values. Pure.

The statement bounds one value, not how many there are, nor names: an exact sum of lengths would cost it more
to plan than a trace to read. So the few spans that stay too large are decoded here, and only they.
"""

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.trace.v1.trace_pb2 import Span, TracesData

MOST_SPAN_BYTES = 4_000_000
"""Of a span's message: Jaeger's client takes 4 MiB, and refuses more together with the whole trace."""
WARNINGS = "@jaeger@warnings"
_WARNING_BYTES = 300
"""Room for what is said about the cut."""
_MOST_COUNT = 2**32 - 1
Text: TypeAlias = tuple[Message, str]
"""A message and its field."""


def fitted(message: bytes, most_bytes: int = MOST_SPAN_BYTES) -> bytes:
    """Return the ``TracesData`` of one span in at most ``most_bytes``, the longest of its texts cut alike.

    Where keys and the number of things are too much already, only names, times and ids of the span are left.
    """
    if len(message) <= most_bytes:
        return message
    try:
        data = TracesData.FromString(message)
    except DecodeError:  # a row of others, whose text is none: Jaeger reads it no better
        return message
    room = most_bytes - _WARNING_BYTES
    if data.ByteSize() - sum(map(_size, _texts(data))) > room:
        _leave_out_inplace(data)
    _cut_inplace(data, room)
    return data.SerializeToString()


def longest(sizes: Sequence[int], room: int) -> int:
    """Return the bytes that each of several texts may have, so that together they have at most ``room``.

    >>> longest([10, 1_000, 1_000], 510), longest([10, 20], 100)
    (250, 20)
    """
    for n_before, size in enumerate(sorted(sizes)):
        share = room // (len(sizes) - n_before)
        if size > share:
            return share
        room -= size
    return max(sizes, default=0)


def _cut_inplace(data: TracesData, most_bytes: int) -> None:
    texts = list(_texts(data))
    sizes = [_size(text) for text in texts]
    limit = longest(sizes, most_bytes - (data.ByteSize() - sum(sizes)))
    long = [text for text, size in zip(texts, sizes, strict=True) if size > limit]
    for holder, field in long:
        cut = getattr(holder, field).encode()[:limit]
        setattr(holder, field, cut.decode(errors="ignore"))  # not within a character
    if long:
        _warn_inplace(data, f"spanloop cut texts of this span to {limit} bytes: it has too many")


def _size(text: Text) -> int:
    holder, field = text
    return len(getattr(holder, field).encode())


def _texts(data: TracesData) -> Iterator[Text]:
    """Yield what may be cut."""
    resource = data.resource_spans[0]
    scope = resource.scope_spans[0]
    span = scope.spans[0]
    yield from ((resource, "schema_url"), (scope, "schema_url"))
    yield from ((scope.scope, "name"), (scope.scope, "version"))
    yield from ((span, "name"), (span, "trace_state"), (span.status, "message"))
    yield from ((event, "name") for event in span.events)
    yield from ((link, "trace_state") for link in span.links)
    holders: list[Any] = [resource.resource, scope.scope, span, *span.events, *span.links]
    for holder in holders:
        for attribute in holder.attributes:
            if attribute.value.HasField("string_value"):
                yield attribute.value, "string_value"
            for element in attribute.value.array_value.values:
                yield element, "string_value"


def _leave_out_inplace(data: TracesData) -> None:
    resource = data.resource_spans[0]
    span: Any = _span_of(data)  # fields by name
    left = (len(span.attributes), len(span.events), len(span.links))
    for field, n in zip(("attributes", "events", "links"), left, strict=True):
        count = f"dropped_{field}_count"
        setattr(span, count, min(getattr(span, count) + n, _MOST_COUNT))
        span.ClearField(field)
    resource.scope_spans[0].ClearField("scope")
    # Jaeger files a span under the name of its service.
    named = [one for one in resource.resource.attributes if one.key == "service.name"]
    del resource.resource.attributes[:]
    resource.resource.attributes.extend(named)
    _warn_inplace(
        data,
        "spanloop left out {} attributes, {} events and {} links of this span: Jaeger takes no "
        "span so large".format(*left),
    )


def _warn_inplace(data: TracesData, text: str) -> None:
    """Append to Jaeger's list of warnings, which the statement may have begun."""
    span = _span_of(data)
    lists: list[Any] = [one for one in span.attributes if one.key == WARNINGS]
    said = lists[0] if lists else span.attributes.add(key=WARNINGS)
    said.value.array_value.values.add(string_value=text)


def _span_of(data: TracesData) -> Span:
    return data.resource_spans[0].scope_spans[0].spans[0]
