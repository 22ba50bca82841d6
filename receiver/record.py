"""The record of the write-ahead log: an OTLP request that carries its own envelope.

A record is a varint length and that many bytes: the request as it was checked, followed by fields that
protobuf merges into the same message. So a log segment is at once checkable, torn-tail-cuttable and the very
stream that ClickHouse's ``Protobuf`` format reads::

    varint length │ request │ 1001 project │ 1002 received_time │ 1004 batch_id │ [1005 digest] │ 1003 crc32

``crc32`` covers everything before itself but the length. ``digest`` recognises a client's identical retry.
The numbers 1001-1005 are unassigned in opentelemetry-proto; copies that a client sends are unknown fields,
removed when the request is checked.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

BATCH_ID_BYTES = 16
DIGEST_BYTES = 16
MAX_RECORD_BYTES = 512 * 1024 * 1024
# Room for the envelope, whose project is the only part of free length.
MAX_BODY_BYTES = MAX_RECORD_BYTES - 64 * 1024
_PROJECT, _RECEIVED, _CRC, _BATCH, _DIGEST = 1001, 1002, 1003, 1004, 1005
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def encode_varint(value: int) -> bytes:
    """Return ``value`` (not negative) as a protobuf varint."""
    out = bytearray()
    while value > 0x7F:
        out.append((value & 0x7F) | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _tag(number: int, wire_type: int) -> bytes:
    return encode_varint(number << 3 | wire_type)


_PROJECT_TAG = _tag(_PROJECT, _BYTES)
_RECEIVED_TAG = _tag(_RECEIVED, _FIXED64)
_BATCH_TAG = _tag(_BATCH, _BYTES) + bytes([BATCH_ID_BYTES])
_DIGEST_TAG = _tag(_DIGEST, _BYTES) + bytes([DIGEST_BYTES])
_CRC_TAG = _tag(_CRC, _FIXED32)
# A record ends with this mark and four bytes of checksum.
CRC_MARK = _CRC_TAG
CRC_FIELD_BYTES = len(_CRC_TAG) + 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """What the log adds to a request. ``received_ns`` is Unix time in nanoseconds."""

    project: str
    received_ns: int
    batch_id: bytes
    digest: bytes | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """A valid record found in a segment: ``start`` and ``end`` are offsets of its frame."""

    start: int
    end: int
    body: bytes
    envelope: Envelope


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a segment that are no valid record."""

    start: int
    end: int


def frame(body: bytes, envelope: Envelope) -> tuple[bytes, bytes, bytes]:
    """Return the pieces of a record, to be written one after the other."""
    project = envelope.project.encode()
    tail = b"".join(
        (
            _PROJECT_TAG,
            encode_varint(len(project)),
            project,
            _RECEIVED_TAG,
            struct.pack("<Q", envelope.received_ns),
            _BATCH_TAG,
            envelope.batch_id,
            _DIGEST_TAG + envelope.digest if envelope.digest else b"",
        )
    )
    tail += _CRC_TAG + struct.pack("<I", zlib.crc32(tail, zlib.crc32(body)))
    return encode_varint(len(body) + len(tail)), body, tail


def scan(segment: bytes, batch_id: bytes | None = None) -> Iterator[Record | Damage]:
    """Yield the records of ``segment`` in order, and the stretches between them that are none.

    A torn tail is a last ``Damage``. After damage in the middle, reading goes on behind the damaged record
    or the next end of a record from which a valid one follows. With ``batch_id``, which no client can have
    known, only records of that segment count: one that a client hid inside an attribute is never read.
    """
    position = 0
    while position < len(segment):
        record = _record_at(segment, position, batch_id)
        if record is not None:
            yield record
            position = record.end
            continue
        resumed = _resume(segment, position, batch_id)
        yield Damage(position, resumed)
        position = resumed


def _resume(segment: bytes, position: int, batch_id: bytes | None) -> int:
    for candidate in _starts_after(segment, position, batch_id):
        if candidate < len(segment) and _record_at(segment, candidate, batch_id) is not None:
            return candidate
    return len(segment)


def _starts_after(segment: bytes, position: int, batch_id: bytes | None) -> Iterator[int]:
    """Yield where a record may begin: behind the damaged one as its length has it, then behind each end."""
    header = _read_varint(segment, position)
    if header is not None:
        yield header[1] + header[0]
    mark = CRC_MARK if batch_id is None else _BATCH_TAG + batch_id
    found = segment.find(mark, position)
    while found != -1:
        if batch_id is None:
            yield found + CRC_FIELD_BYTES
        else:
            behind = found + len(mark)
            if segment.startswith(_DIGEST_TAG, behind):
                yield behind + len(_DIGEST_TAG) + DIGEST_BYTES + CRC_FIELD_BYTES
            yield behind + CRC_FIELD_BYTES
        found = segment.find(mark, found + 1)


def _record_at(segment: bytes, start: int, batch_id: bytes | None) -> Record | None:
    header = _read_varint(segment, start)
    if header is None:
        return None
    length, content = header
    end = content + length
    if length < CRC_FIELD_BYTES or length > MAX_RECORD_BYTES or end > len(segment):
        return None
    crc_at = end - CRC_FIELD_BYTES
    if segment[crc_at : crc_at + len(_CRC_TAG)] != _CRC_TAG:
        return None
    (crc,) = struct.unpack_from("<I", segment, end - 4)
    if zlib.crc32(memoryview(segment)[content:crc_at]) != crc:
        return None
    body_end = _end_of_request(segment, content, crc_at)
    envelope = _read_envelope(segment, body_end, crc_at)
    if envelope is None or batch_id not in (None, envelope.batch_id):
        return None
    return Record(start, end, segment[content:body_end], envelope)


def _end_of_request(segment: bytes, start: int, end: int) -> int:
    """Return where the envelope begins: a checked request holds only low-numbered top-level fields."""
    position = start
    while position < end:
        tag = _read_varint(segment, position)
        if tag is None or tag[0] >> 3 >= _PROJECT:
            return position
        length = _read_varint(segment, tag[1]) if tag[0] & 7 == _BYTES else None
        if length is None:
            return position
        position = length[1] + length[0]
    return position


def _read_envelope(segment: bytes, position: int, end: int) -> Envelope | None:
    values: dict[int, bytes] = {}
    while position < end:
        tag = _read_varint(segment, position)
        if tag is None:
            return None
        number, wire_type = tag[0] >> 3, tag[0] & 7
        size = (8, tag[1]) if wire_type == _FIXED64 else _read_varint(segment, tag[1])
        if size is None:
            return None
        values[number] = segment[size[1] : size[1] + size[0]]
        position = size[1] + size[0]
    if _RECEIVED not in values or len(values.get(_BATCH, b"")) != BATCH_ID_BYTES:
        return None
    return Envelope(
        project=values.get(_PROJECT, b"").decode(errors="replace"),
        received_ns=int.from_bytes(values[_RECEIVED], "little"),
        batch_id=values[_BATCH],
        digest=values.get(_DIGEST),
    )


def _read_varint(data: bytes, position: int) -> tuple[int, int] | None:
    """Return (value, offset behind it), or None where no varint of at most 10 bytes stands."""
    value = 0
    for i in range(10):
        if position + i >= len(data):
            return None
        byte = data[position + i]
        value |= (byte & 0x7F) << (7 * i)
        if byte < 0x80:
            return value, position + i + 1
    return None
