"""The little of ClickHouse's Native format that the endpoint must write itself.

A block is: number of columns, number of rows (LEB128), then per column name, type and values.
From revision 1 on an info prefix comes first, from 54454 on a byte "custom serialization" follows
each type (``src/Formats/NativeWriter.cpp``). chDB always writes revision 0, which is what we tell:
``revision()`` answers 0. But clickhouse-go reads the answer to that very question at the revision
it declared itself, and only then switches (``conn_http.go``, v2.50), so this one answer is written
anew. Its columns are text and integers.
"""

import struct
from collections.abc import Sequence

from spanloop.processor.errors import InvalidRequest

_CUSTOM_SERIALIZATION = 54454
# Field 1: is_overflows = 0; field 2: bucket_num = -1; end. (`BlockInfo::write`)
_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
_WIDTHS = {"UInt8": 1, "UInt16": 2, "UInt32": 4, "UInt64": 8, "Int32": 4, "Int64": 8}


def native_header(columns: Sequence[tuple[str, str]]) -> bytes:
    """A block at revision 0 with columns ``(name, type)`` and no rows."""
    return _leb128(len(columns)) + b"\0" + b"".join(_text(n) + _text(t) for n, t in columns)


def at_revision(block: bytes, revision: int) -> bytes:
    """Rewrite one block of revision 0 with one row of text and integers for a revision.

    >>> at_revision(native_header([("a", "UInt8")]), 0) == native_header([("a", "UInt8")])
    True
    """
    if revision <= 0:
        return block
    n_columns, at = _read_leb128(block, 0)
    n_rows, at = _read_leb128(block, at)
    parts = [_BLOCK_INFO, _leb128(n_columns), _leb128(n_rows)]
    for _ in range(n_columns):
        name, at = _read_text(block, at)
        kind, at = _read_text(block, at)
        begin = at
        for _ in range(n_rows):
            at = _skip_value(block, at, kind)
        parts += [_text(name), _text(kind)]
        parts += [b"\0" if revision >= _CUSTOM_SERIALIZATION else b"", block[begin:at]]
    return b"".join(parts) + block[at:]


def _skip_value(block: bytes, at: int, kind: str) -> int:
    if kind in _WIDTHS:
        return at + _WIDTHS[kind]
    if kind != "String":
        raise InvalidRequest(f"revision() cannot be asked for together with a {kind}")
    return _read_text(block, at)[1]


def _leb128(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _read_leb128(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        (byte,) = struct.unpack_from("<B", data, at)
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def _text(value: str) -> bytes:
    data = value.encode()
    return _leb128(len(data)) + data


def _read_text(data: bytes, at: int) -> tuple[str, int]:
    size, at = _read_leb128(data, at)
    return data[at : at + size].decode(), at + size
