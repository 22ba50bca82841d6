"""ClickHouse's block compression, as ``compress=1`` and ``decompress=1`` ask for over HTTP.

A block is CityHash128 (the version ClickHouse keeps, 1.0.2) of the rest, 16 bytes; method, 1 byte;
compressed size with this 9-byte header and size before compression, both UInt32 little-endian;
the data. Source: ``src/Compression/CompressedReadBufferBase.cpp``.
"""

import struct

import lz4.block
import zstandard
from clickhouse_cityhash.cityhash import CityHash128

from spanloop.processor.errors import InvalidRequest

LZ4, ZSTD, NONE = 0x82, 0x90, 0x02
_HEADER = struct.Struct("<BII")
_CHECKSUM = struct.Struct("<QQ")
_MAX_BLOCK_BYTES = 64 << 20
_PIECE_BYTES = 1 << 20


def compress_blocks(data: bytes, method: int = LZ4) -> bytes:
    """Wrap bytes in blocks of at most 1 MiB each."""
    return b"".join(
        _block(data[at : at + _PIECE_BYTES], method) for at in range(0, len(data), _PIECE_BYTES)
    )


class BlockReader:
    """Unwraps a stream of blocks that arrives in pieces.

    Args:
        limit: most bytes that may come out, all blocks together; a block may not claim more.
    """

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._pending = bytearray()

    def feed(self, data: bytes) -> bytes:
        """Add bytes of the stream; returns what could be unwrapped."""
        self._pending += data
        out: list[bytes] = []
        while (block := self._next()) is not None:
            out.append(block)
        return b"".join(out)

    def finish(self) -> bytes:
        """The stream ended; it must have ended at the end of a block."""
        if self._pending:
            raise InvalidRequest("The compressed body ends in the middle of a block")
        return b""

    def _next(self) -> bytes | None:
        head = _CHECKSUM.size + _HEADER.size
        if len(self._pending) < head:
            return None
        method, packed_size, size = _HEADER.unpack_from(self._pending, _CHECKSUM.size)
        if packed_size < _HEADER.size or max(packed_size, size) > _MAX_BLOCK_BYTES:
            raise InvalidRequest("A compressed block is larger than 64 MiB")
        if size > self._left:
            raise InvalidRequest("The body is larger than this endpoint takes")
        end = _CHECKSUM.size + packed_size
        if len(self._pending) < end:
            return None
        packed = bytes(self._pending[_CHECKSUM.size : end])
        if _checksum(packed) != bytes(self._pending[: _CHECKSUM.size]):
            raise InvalidRequest("A compressed block does not match its checksum")
        del self._pending[:end]
        self._left -= size
        return _unpack(method, packed[_HEADER.size :], size)


def _block(data: bytes, method: int) -> bytes:
    if method == LZ4:
        body = lz4.block.compress(data, store_size=False)
    elif method == ZSTD:
        body = zstandard.ZstdCompressor(level=1).compress(data)
    else:
        body = data
    packed = _HEADER.pack(method, len(body) + _HEADER.size, len(data)) + body
    return _checksum(packed) + packed


def _checksum(packed: bytes) -> bytes:
    value = CityHash128(packed)
    return _CHECKSUM.pack(value >> 64, value & 0xFFFFFFFFFFFFFFFF)


def _unpack(method: int, body: bytes, size: int) -> bytes:
    try:
        if method == LZ4:
            data = lz4.block.decompress(body, uncompressed_size=size)
        elif method == ZSTD:
            data = zstandard.ZstdDecompressor().decompress(body, max_output_size=size)
        elif method == NONE:
            data = body
        else:
            raise InvalidRequest(f"Block compression method {method:#x} is not supported")
    except (lz4.block.LZ4BlockError, zstandard.ZstdError) as error:
        raise InvalidRequest("A compressed block cannot be unpacked") from error
    if len(data) != size:
        raise InvalidRequest("A compressed block has another size than it says")
    return data
