"""The record: what was framed is read back, and damage never invents or hides a record."""

from __future__ import annotations

import struct
import zlib

from hypothesis import given
from hypothesis import strategies as st

from spanloop.receiver.record import (
    CRC_MARK,
    Damage,
    Envelope,
    Record,
    encode_varint,
    frame,
    scan,
)

ID = bytes(range(16))
OTHER_ID = bytes(range(16, 32))

# What a checked request looks like from outside: fields of number 1, length-delimited.
bodies = st.lists(st.binary(max_size=60), max_size=3).map(
    lambda parts: b"".join(b"\x0a" + encode_varint(len(part)) + part for part in parts)
)
envelopes = st.builds(
    Envelope,
    project=st.text(max_size=12),
    received_ns=st.integers(0, 2**64 - 1),
    batch_id=st.just(ID),
    digest=st.none() | st.binary(min_size=16, max_size=16),
)
sent = st.lists(st.tuples(bodies, envelopes), min_size=1, max_size=6)


def segment_of(records: list[tuple[bytes, Envelope]]) -> tuple[bytes, list[tuple[int, int]]]:
    content = b""
    spans: list[tuple[int, int]] = []
    for body, envelope in records:
        start = len(content)
        content += b"".join(frame(body, envelope))
        spans.append((start, len(content)))
    return content, spans


def found(content: bytes, batch_id: bytes | None = ID) -> list[tuple[bytes, Envelope]]:
    return [(p.body, p.envelope) for p in scan(content, batch_id) if isinstance(p, Record)]


@given(sent)
def test_what_was_framed_is_read_back(records: list[tuple[bytes, Envelope]]) -> None:
    content, spans = segment_of(records)
    pieces = list(scan(content))
    assert [(p.start, p.end) for p in pieces] == spans
    assert found(content) == found(content, None) == records


@given(sent, st.data())
def test_a_torn_tail_costs_only_the_last_record(
    records: list[tuple[bytes, Envelope]], data: st.DataObject
) -> None:
    content, spans = segment_of(records)
    cut = data.draw(st.integers(0, len(content)))
    whole = [record for record, (_, end) in zip(records, spans, strict=True) if end <= cut]
    assert found(content[:cut]) == whole


@given(sent, st.data())
def test_flipped_bits_cost_only_the_records_they_hit(
    records: list[tuple[bytes, Envelope]], data: st.DataObject
) -> None:
    content, spans = segment_of(records)
    hit = data.draw(st.integers(0, len(content) - 1))
    damaged = bytearray(content)
    damaged[hit] ^= data.draw(st.integers(1, 255))
    expected = [
        record
        for record, (start, end) in zip(records, spans, strict=True)
        if not start <= hit < end
    ]
    assert found(bytes(damaged)) == expected


@given(st.binary(max_size=300), st.sampled_from([None, ID]))
def test_arbitrary_bytes_hold_no_record_and_are_covered(
    content: bytes, batch_id: bytes | None
) -> None:
    pieces = list(scan(content, batch_id))
    assert all(isinstance(piece, Damage) for piece in pieces)
    assert sum(piece.end - piece.start for piece in pieces) == len(content)


@given(sent, st.binary(max_size=40), st.data())
def test_pieces_cover_a_damaged_segment_without_gaps(
    records: list[tuple[bytes, Envelope]], noise: bytes, data: st.DataObject
) -> None:
    content, _ = segment_of(records)
    at = data.draw(st.integers(0, len(content)))
    pieces = list(scan(content[:at] + noise + content[at:], ID))
    position = 0
    for piece in pieces:
        assert piece.start == position
        position = piece.end
    assert position == len(content) + len(noise)


def test_a_record_hidden_inside_a_damaged_one_is_not_read() -> None:
    forged = b"".join(
        frame(b"\x0a\x01x", Envelope(project="victim", received_ns=1, batch_id=OTHER_ID))
    )
    hidden = CRC_MARK + b"1234" + forged
    body = b"\x0a" + encode_varint(len(hidden)) + hidden
    outer = b"".join(frame(body, Envelope(project="p", received_ns=1, batch_id=ID)))
    damaged = b"\xff" + outer[1:]
    assert found(damaged, ID) == []


def test_a_zero_filled_tail_is_damage() -> None:
    content, _ = segment_of([(b"", Envelope(project="p", received_ns=1, batch_id=ID))])
    pieces = list(scan(content + bytes(4096), ID))
    assert [type(piece) for piece in pieces] == [Record, Damage]


def test_a_project_that_is_no_text_does_not_stop_the_reading() -> None:
    tail = b"\xca\x3e\x01\xff" + b"\xd1\x3e" + bytes(8) + b"\xe2\x3e\x10" + ID
    tail += CRC_MARK + struct.pack("<I", zlib.crc32(tail))
    ((_, envelope),) = found(encode_varint(len(tail)) + tail)
    assert envelope.project == "\ufffd"


def test_the_checksum_covers_the_envelope() -> None:
    body, envelope = b"\x0a\x00", Envelope(project="project", received_ns=1, batch_id=ID)
    content = b"".join(frame(body, envelope))
    assert found(content.replace(b"project", b"pr0ject")) == []
