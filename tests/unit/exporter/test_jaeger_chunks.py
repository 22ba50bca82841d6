from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.exporter.jaeger_storage.chunks import CHUNK_BYTES, rows, trace_chunks
from spanloop.receiver.record import encode_varint

FIRST, SECOND = b"A" * 16, b"B" * 16


def row(span: bytes, trace: bytes) -> bytes:
    body = span + b"\xca\x3e\x10" + trace
    return encode_varint(len(body)) + body


def test_spans_of_a_trace_are_joined_and_traces_kept_apart() -> None:
    stream = row(b"1", FIRST) + row(b"2", FIRST) + row(b"3", SECOND)
    assert list(trace_chunks([stream])) == [b"12", b"3"]


def test_a_long_trace_comes_in_consecutive_chunks_that_lose_nothing() -> None:
    spans = [bytes([number]) * 300_000 for number in range(10)]
    chunks = list(trace_chunks([b"".join(row(span, FIRST) for span in spans)]))
    assert b"".join(chunks) == b"".join(spans)
    assert [len(chunk) for chunk in chunks] == [900_000] * 3 + [300_000]
    assert max(map(len, chunks)) <= CHUNK_BYTES


def test_a_span_larger_than_a_chunk_has_one_of_its_own() -> None:
    huge = b"x" * (CHUNK_BYTES + 1)
    stream = row(b"1", FIRST) + row(huge, FIRST) + row(b"3", FIRST)
    assert list(trace_chunks([stream])) == [b"1", huge, b"3"]


@given(
    st.lists(st.binary(max_size=300), max_size=20),
    st.lists(st.integers(1, 50), min_size=1, max_size=5),
)
def test_rows_do_not_depend_on_where_the_stream_is_cut(
    bodies: list[bytes], sizes: list[int]
) -> None:
    stream = b"".join(encode_varint(len(body)) + body for body in bodies)
    pieces, position, turn = list[bytes](), 0, 0
    while position < len(stream):
        size = sizes[turn % len(sizes)]
        pieces.append(stream[position : position + size])
        position, turn = position + size, turn + 1
    assert list(rows(pieces)) == bodies


def test_a_torn_stream_is_an_error_not_a_shorter_trace() -> None:
    with pytest.raises(ValueError, match="ends within a row"):
        list(trace_chunks([row(b"1", FIRST)[:-1]]))


def test_a_row_without_its_trace_is_an_error() -> None:
    body = b"x" * 40
    with pytest.raises(ValueError, match="does not end with the id"):
        list(trace_chunks([encode_varint(len(body)) + body]))
