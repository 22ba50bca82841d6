"""Bodies are read incrementally, decompressed, and never past the cap."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from spanloop.processor.errors import InvalidRequest
from spanloop.receiver.bodies import (
    BodyTooLarge,
    UnsupportedEncoding,
    read_body,
    refuse_announced_size,
)

MIB = 1024 * 1024


def zstd(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


ENCODERS: dict[str, Callable[[bytes], bytes]] = {
    "identity": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstd,
}


def read(
    body: bytes, encoding: str | None, *, max_bytes: int = MIB, chunk_bytes: int = 1000
) -> bytes:
    async def chunks() -> AsyncIterator[bytes]:
        for at in range(0, len(body), chunk_bytes):
            yield body[at : at + chunk_bytes]
        yield b""

    return asyncio.run(read_body(chunks(), encoding=encoding, max_bytes=max_bytes))


@pytest.mark.parametrize("encoding", ENCODERS)
@given(data=st.data())
def test_what_was_encoded_is_read_in_chunks_of_any_size(encoding: str, data: st.DataObject) -> None:
    plain = data.draw(st.binary(max_size=3000))
    chunk_bytes = data.draw(st.integers(1, 4000))
    assert read(ENCODERS[encoding](plain), encoding, chunk_bytes=chunk_bytes) == plain


@pytest.mark.parametrize("encoding", [None, "", "identity", "IDENTITY", " identity "])
def test_no_encoding_is_identity(encoding: str | None) -> None:
    assert read(b"plain", encoding) == b"plain"


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_names_of_gzip(encoding: str) -> None:
    assert read(gzip.compress(b"x"), encoding) == b"x"


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "snappy", "lz4"])
def test_other_encodings_are_named_in_the_refusal(encoding: str) -> None:
    with pytest.raises(UnsupportedEncoding, match=f"'{encoding}' is not supported; use gzip"):
        read(b"", encoding)


@pytest.mark.parametrize("encoding", ENCODERS)
def test_the_cap_is_exact(encoding: str) -> None:
    encode = ENCODERS[encoding]
    assert len(read(encode(bytes(5000)), encoding, max_bytes=5000)) == 5000
    with pytest.raises(BodyTooLarge, match="5000 bytes"):
        read(encode(bytes(5001)), encoding, max_bytes=5000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
def test_a_bomb_costs_no_memory(encoding: str) -> None:
    bomb = ENCODERS[encoding](bytes(64 * MIB))
    tracemalloc.start()
    with pytest.raises(BodyTooLarge):
        read(bomb, encoding, max_bytes=MIB, chunk_bytes=65536)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 * MIB


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
@pytest.mark.parametrize("chunk_bytes", [1, 7, 100_000])
def test_members_and_frames_may_follow_one_another(encoding: str, chunk_bytes: int) -> None:
    encode = ENCODERS[encoding]
    body = b"".join(encode(part) for part in (b"one", b"", b"two" * 500, b"three"))
    assert read(body, encoding, chunk_bytes=chunk_bytes) == b"one" + b"two" * 500 + b"three"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@pytest.mark.parametrize("cut", [1, 5, -1, -4])
def test_a_truncated_stream_is_refused(encoding: str, cut: int) -> None:
    with pytest.raises(InvalidRequest):
        read(ENCODERS[encoding](b"some text to compress" * 10)[:cut], encoding)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@given(body=st.binary(min_size=1, max_size=200))
def test_garbage_is_refused_or_read_but_never_crashes(encoding: str, body: bytes) -> None:
    with contextlib.suppress(InvalidRequest):
        read(body, encoding)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_bytes_behind_the_stream_are_refused(encoding: str) -> None:
    with pytest.raises(InvalidRequest):
        read(ENCODERS[encoding](b"x") + b"rubbish behind it", encoding)


@pytest.mark.parametrize("encoding", ENCODERS)
def test_an_empty_body_is_an_empty_request(encoding: str) -> None:
    assert read(b"", encoding) == b""


def test_members_of_nothing_do_not_stream_for_ever() -> None:
    body = gzip.compress(b"") * 60_000
    with pytest.raises(BodyTooLarge):
        read(body, "gzip", max_bytes=10_000, chunk_bytes=65_536)


@pytest.mark.parametrize(
    ("length", "encoding", "refused"),
    [
        (None, None, False),
        ("nonsense", None, False),
        ("100", None, False),
        ("101", None, True),
        ("101", "gzip", False),
        (str(2 * MIB), "gzip", True),
        ("9" * 30, None, True),
    ],
)
def test_an_announced_size_is_refused_unread(
    length: str | None, encoding: str | None, refused: bool
) -> None:
    if not refused:
        refuse_announced_size(length, encoding=encoding, max_bytes=100)
        return
    with pytest.raises(BodyTooLarge):
        refuse_announced_size(length, encoding=encoding, max_bytes=100)
