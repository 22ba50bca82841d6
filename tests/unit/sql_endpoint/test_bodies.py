"""Bodies unwrapped in pieces, and capped."""

import gzip
import zlib
from collections.abc import Callable

import lz4.frame
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from spanloop.exporter.sql_endpoint import bodies
from spanloop.processor.errors import InvalidRequest

PACK: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "zstd": zstandard.ZstdCompressor().compress,
    "lz4": lz4.frame.compress,
}


@given(data=st.binary(max_size=3000), name=st.sampled_from(sorted(PACK)), step=st.integers(1, 500))
def test_unwraps_in_any_pieces(data: bytes, name: str, step: int) -> None:
    packed = PACK[name](data)
    steps = bodies.decoders(name, decompress=False, limit=len(data))
    pieces = [bodies.feed_all(steps, packed[at : at + step]) for at in range(0, len(packed), step)]
    assert b"".join(pieces) + bodies.finish_all(steps) == data


@pytest.mark.parametrize("name", sorted(PACK))
def test_caps(name: str) -> None:
    steps = bodies.decoders(name, decompress=False, limit=1000)
    with pytest.raises(InvalidRequest, match="larger"):
        bodies.feed_all(steps, PACK[name](b"x" * 1001))


@pytest.mark.parametrize("name", sorted(set(PACK) - {""}))
def test_junk_and_short_bodies(name: str) -> None:
    with pytest.raises(InvalidRequest):
        bodies.feed_all(bodies.decoders(name, decompress=False, limit=1000), b"junk" * 10)
    steps = bodies.decoders(name, decompress=False, limit=1000)
    bodies.feed_all(steps, PACK[name](b"x" * 100)[:-1])
    with pytest.raises(InvalidRequest, match="early"):
        bodies.finish_all(steps)


def test_unknown_encodings() -> None:
    with pytest.raises(InvalidRequest, match="br"):
        bodies.decoders("br", decompress=False, limit=1)


@pytest.mark.parametrize(
    ("accepted", "picked"),
    [("", ""), ("gzip", "gzip"), ("gzip, zstd;q=0.5", "zstd"), ("br", ""), ("identity", "")],
)
def test_picks_an_encoding(accepted: str, picked: str) -> None:
    assert bodies.pick_encoding(accepted) == picked


@pytest.mark.parametrize("name", ["gzip", "zstd"])
def test_wraps(name: str) -> None:
    steps = bodies.encoder(name)
    packed = (
        bodies.feed_all(steps, b"a" * 1000)
        + bodies.feed_all(steps, b"b")
        + bodies.finish_all(steps)
    )
    unwrap = bodies.decoders(name, decompress=False, limit=2000)
    assert bodies.feed_all(unwrap, packed) + bodies.finish_all(unwrap) == b"a" * 1000 + b"b"
