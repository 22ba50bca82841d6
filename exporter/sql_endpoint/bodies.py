"""Request bodies unwrapped, answers wrapped: HTTP encodings and ClickHouse's own, with caps."""

import zlib
from collections.abc import AsyncIterator, Iterable
from typing import Protocol

import lz4.frame
import zstandard

from spanloop.exporter.sql_endpoint import blocks
from spanloop.processor.errors import InvalidRequest


class Codec(Protocol):
    """A step that turns pieces of a stream into pieces of another."""

    def feed(self, data: bytes) -> bytes:
        """Take a piece."""
        ...

    def finish(self) -> bytes:
        """The stream ended; give the rest."""
        ...


class Inflate:
    """gzip or deflate, unwrapped with a cap."""

    def __init__(self, limit: int, wbits: int) -> None:
        self._left = limit
        self._inflate = zlib.decompressobj(wbits)

    def feed(self, data: bytes) -> bytes:
        """Take a piece; at most one byte more than the cap is ever built."""
        try:
            out = self._inflate.decompress(data, self._left + 1)
        except zlib.error as error:
            raise InvalidRequest("The body is not what Content-Encoding says") from error
        self._left -= len(out)
        if self._left < 0:
            raise InvalidRequest("The body is larger than this endpoint takes")
        return out

    def finish(self) -> bytes:
        """The stream must be complete."""
        if not self._inflate.eof:
            raise InvalidRequest("The compressed body ends early")
        return b""


class Unzstd:
    """zstd, unwrapped with a cap; the window of a frame is limited to 32 MiB."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._zstd = zstandard.ZstdDecompressor(max_window_size=32 << 20).decompressobj()

    def feed(self, data: bytes) -> bytes:
        """Take a piece, in slices so small that one cannot unpack to more than ~128 MiB."""
        out: list[bytes] = []
        for at in range(0, len(data), 4096):
            try:
                piece = self._zstd.decompress(data[at : at + 4096])
            except zstandard.ZstdError as error:
                raise InvalidRequest("The body is not what Content-Encoding says") from error
            self._left -= len(piece)
            if self._left < 0:
                raise InvalidRequest("The body is larger than this endpoint takes")
            out.append(piece)
        return b"".join(out)

    def finish(self) -> bytes:
        """The stream must be complete."""
        if not self._zstd.eof:
            raise InvalidRequest("The compressed body ends early")
        return b""


class Unlz4:
    """An lz4 frame, unwrapped with a cap; what clickhouse-connect sends by default."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._lz4 = lz4.frame.LZ4FrameDecompressor()

    def feed(self, data: bytes) -> bytes:
        """Take a piece; at most one byte more than the cap is ever built."""
        try:
            out = self._lz4.decompress(data, max_length=self._left + 1)
        except (RuntimeError, EOFError) as error:
            raise InvalidRequest("The body is not what Content-Encoding says") from error
        self._left -= len(out)
        if self._left < 0:
            raise InvalidRequest("The body is larger than this endpoint takes")
        return out

    def finish(self) -> bytes:
        """The stream must be complete."""
        if not self._lz4.eof:
            raise InvalidRequest("The compressed body ends early")
        return b""


class Capped:
    """No encoding, but a cap."""

    def __init__(self, limit: int) -> None:
        self._left = limit

    def feed(self, data: bytes) -> bytes:
        """Take a piece."""
        self._left -= len(data)
        if self._left < 0:
            raise InvalidRequest("The body is larger than this endpoint takes")
        return data

    def finish(self) -> bytes:
        """Nothing is kept back."""
        return b""


class Deflate:
    """gzip, wrapped."""

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(level=3, wbits=31)

    def feed(self, data: bytes) -> bytes:
        """Take a piece; what is in it can be read at once."""
        return self._deflate.compress(data) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def finish(self) -> bytes:
        """End the stream."""
        return self._deflate.flush()


class Zstd:
    """zstd, wrapped."""

    def __init__(self) -> None:
        self._zstd = zstandard.ZstdCompressor(level=1).compressobj()

    def feed(self, data: bytes) -> bytes:
        """Take a piece; what is in it can be read at once."""
        return self._zstd.compress(data) + self._zstd.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)

    def finish(self) -> bytes:
        """End the stream."""
        return self._zstd.flush()


class Blocks:
    """ClickHouse's block compression, wrapped."""

    def __init__(self, method: int) -> None:
        self._method = method

    def feed(self, data: bytes) -> bytes:
        """Take a piece; each becomes blocks of its own."""
        return blocks.compress_blocks(data, self._method)

    def finish(self) -> bytes:
        """Blocks need no end."""
        return b""


def decoders(content_encoding: str, *, decompress: bool, limit: int) -> list[Codec]:
    """Steps that unwrap a body.

    Args:
        content_encoding: the header, "" if absent.
        decompress: the body is in ClickHouse's blocks.
        limit: most bytes after each step.
    """
    steps: list[Codec] = []
    match content_encoding.strip().lower():
        case "" | "identity":
            steps.append(Capped(limit))
        case "gzip":
            steps.append(Inflate(limit, 31))
        case "deflate":
            steps.append(Inflate(limit, 15))
        case "zstd":
            steps.append(Unzstd(limit))
        case "lz4":
            steps.append(Unlz4(limit))
        case other:
            raise InvalidRequest(f"Content-Encoding {other} is not supported; use gzip or zstd")
    if decompress:
        steps.append(blocks.BlockReader(limit))
    return steps


def pick_encoding(accept_encoding: str) -> str:
    """The encoding of an answer: zstd before gzip, "" for neither."""
    accepted = {part.split(";")[0].strip().lower() for part in accept_encoding.split(",")}
    return next((name for name in ("zstd", "gzip") if name in accepted), "")


def encoder(encoding: str) -> list[Codec]:
    """Steps that wrap an answer in an HTTP encoding."""
    match encoding:
        case "zstd":
            return [Zstd()]
        case "gzip":
            return [Deflate()]
        case _:
            return []


def feed_all(steps: Iterable[Codec], data: bytes) -> bytes:
    """Send a piece through steps."""
    for step in steps:
        data = step.feed(data)
    return data


def finish_all(steps: list[Codec]) -> bytes:
    """End steps in order; what one gives at its end goes through those after it."""
    out = b""
    for step in steps:
        out = (step.feed(out) if out else b"") + step.finish()
    return out


async def unwrapped(stream: AsyncIterator[bytes], steps: list[Codec]) -> AsyncIterator[bytes]:
    """A body, unwrapped piece by piece; an empty body needs no complete encoding."""
    empty = True
    async for piece in stream:
        if piece:
            empty = False
            if data := feed_all(steps, piece):
                yield data
    if not empty and (rest := finish_all(steps)):
        yield rest
