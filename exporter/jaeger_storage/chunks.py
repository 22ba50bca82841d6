"""From the engine's stream of spans to the messages that Jaeger wants. Pure.

A row is a length, a ``TracesData`` of one span, and at its end field 1001 with the id of the trace
(``proto/otlp_spans_out.proto``). Protobuf messages put one after another are one message, so spans of a trace
become a chunk by joining their bytes; nothing is decoded but what Jaeger would refuse (`fitting`).
"""

from collections.abc import Iterable, Iterator

from spanloop.exporter.jaeger_storage.fitting import fitted

CHUNK_BYTES = 1 << 20
"""A chunk grows until here: Jaeger's client takes 4 MiB, and a chunk holds one span at least."""
_TRACE_ID_BYTES = 16
_TRACE_MARK = bytes([0xCA, 0x3E, _TRACE_ID_BYTES])
"""The tag of field 1001, length-delimited, and the length."""
_TAIL = len(_TRACE_MARK) + _TRACE_ID_BYTES
_LONGEST_VARINT = 5


def trace_chunks(stream: Iterable[bytes]) -> Iterator[bytes]:
    """Yield ``TracesData`` messages: each of one trace, the chunks of a trace one after the other."""
    trace, spans, size = b"", list[bytes](), 0
    for row in rows(stream):
        if row[-_TAIL:-_TRACE_ID_BYTES] != _TRACE_MARK:
            raise ValueError("a row of spans does not end with the id of its trace")
        owner, span = row[-_TRACE_ID_BYTES:], fitted(row[:-_TAIL])
        if spans and (owner != trace or size + len(span) > CHUNK_BYTES):
            yield b"".join(spans)
            spans, size = [], 0
        trace = owner
        spans.append(span)
        size += len(span)
    if spans:
        yield b"".join(spans)


def rows(stream: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the length-delimited messages of a stream that comes in arbitrary pieces."""
    left = b""
    for piece in stream:
        data = left + piece if left else piece
        position = 0
        while (frame := _frame(data, position)) is not None:
            start, end = frame
            yield data[start:end]
            position = end
        left = data[position:]
    if left:
        raise ValueError("the stream of spans ends within a row")


def _frame(data: bytes, position: int) -> tuple[int, int] | None:
    """Return where the message at ``position`` starts and ends; None unless all of it is there."""
    length = 0
    for number, byte in enumerate(data[position : position + _LONGEST_VARINT]):
        length |= (byte & 0x7F) << (7 * number)
        if byte < 0x80:
            start = position + number + 1
            return (start, start + length) if start + length <= len(data) else None
    return None
