"""Request bodies over HTTP: read and decompress incrementally, never past the cap."""

import zlib
from collections.abc import AsyncIterator
from typing import Protocol

import zstandard

from spanloop.processor.errors import InvalidRequest


class BodyTooLarge(InvalidRequest):
    """The body exceeds the cap, compressed or not."""


class UnsupportedEncoding(InvalidRequest):
    """The Content-Encoding is none we read."""


# Empty blocks and members decompress to nothing: what is read is bounded too.
_COMPRESSED_SLACK = 1024 * 1024
_MAX_WINDOW = 1 << 27


class _Decompressor(Protocol):
    def feed(self, chunk: bytes, limit: int) -> bytes:
        """Return at most ``limit`` + 1 more bytes of the body."""
        ...

    def finish(self) -> None:
        """Raise InvalidRequest if the stream ended early."""
        ...


def refuse_announced_size(
    content_length: str | None, *, encoding: str | None, max_bytes: int
) -> None:
    """Refuse a body by its Content-Length, before a byte of it is read.

    Raises:
        BodyTooLarge: it cannot but exceed ``max_bytes``.
    """
    compressed = (encoding or "identity").strip().lower() not in ("identity", "")
    most = max_bytes + (_COMPRESSED_SLACK if compressed else 0)
    if content_length is not None and content_length.isdecimal() and int(content_length) > most:
        raise BodyTooLarge(f"the body exceeds {max_bytes} bytes")


async def read_body(chunks: AsyncIterator[bytes], *, encoding: str | None, max_bytes: int) -> bytes:
    """Return the decompressed body.

    Raises:
        BodyTooLarge: it exceeds ``max_bytes`` after decompression.
        UnsupportedEncoding: ``encoding`` is neither gzip, deflate, zstd nor identity.
        InvalidRequest: it does not decompress.
    """
    decompressor = _decompressor(encoding)
    pieces: list[bytes] = []
    size = read = 0
    async for chunk in chunks:
        read += len(chunk)
        if read > max_bytes + _COMPRESSED_SLACK:
            raise BodyTooLarge(f"the body exceeds {max_bytes} bytes")
        piece = decompressor.feed(chunk, max_bytes - size)
        size += len(piece)
        if size > max_bytes:
            raise BodyTooLarge(f"the body exceeds {max_bytes} bytes after decompression")
        pieces.append(piece)
    decompressor.finish()
    return b"".join(pieces)


def _decompressor(encoding: str | None) -> _Decompressor:
    match (encoding or "identity").strip().lower():
        case "identity" | "":
            return _Identity()
        case "gzip" | "x-gzip":
            return _Zlib(zlib.MAX_WBITS | 16)
        case "deflate":
            return _Zlib(zlib.MAX_WBITS)
        case "zstd":
            return _Zstd()
        case other:
            raise UnsupportedEncoding(
                f"Content-Encoding {other!r} is not supported; use gzip, deflate, zstd or none"
            )


class _Identity:
    def feed(self, chunk: bytes, limit: int) -> bytes:
        return chunk

    def finish(self) -> None:
        pass


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._stream = zlib.decompressobj(wbits)
        self._started = False

    def feed(self, chunk: bytes, limit: int) -> bytes:
        out = b""
        try:
            while chunk and len(out) <= limit:
                if self._stream.eof:  # gzip members may follow one another
                    self._stream = zlib.decompressobj(self._wbits)
                self._started = True
                out += self._stream.decompress(chunk, limit + 1 - len(out))
                chunk = self._stream.unconsumed_tail or self._stream.unused_data
        except zlib.error:
            raise InvalidRequest("the body does not decompress") from None
        return out

    def finish(self) -> None:
        if self._started and not self._stream.eof:
            raise InvalidRequest("the compressed body is truncated")


class _Zstd:
    # Output of one step: zstandard bounds only its input, and 128 bytes hold at most 32 blocks of 128 KiB.
    _STEP = 128

    def __init__(self) -> None:
        self._stream = _zstd_frame()
        self._started = False

    def feed(self, chunk: bytes, limit: int) -> bytes:
        """Feed in small steps, over any number of frames."""
        out: list[bytes] = []
        size = at = 0
        try:
            while at < len(chunk) and size <= limit:
                if self._stream.eof:  # frames may follow one another
                    self._stream = _zstd_frame()
                self._started = True
                step = chunk[at : at + self._STEP]
                out.append(self._stream.decompress(step))
                size += len(out[-1])
                at += len(step) - len(self._stream.unused_data)
        except zstandard.ZstdError:
            raise InvalidRequest("the body does not decompress") from None
        return b"".join(out)

    def finish(self) -> None:
        if self._started and not self._stream.eof:
            raise InvalidRequest("the compressed body is truncated")


def _zstd_frame() -> "zstandard.ZstdDecompressionObj":
    return zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompressobj()
