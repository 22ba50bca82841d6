"""ClickHouse's block compression and the little of Native that is written here."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.exporter.sql_endpoint import blocks
from spanloop.exporter.sql_endpoint.native import at_revision, native_header
from spanloop.processor.errors import InvalidRequest

METHODS = [blocks.LZ4, blocks.ZSTD, blocks.NONE]


@given(data=st.binary(max_size=5000), method=st.sampled_from(METHODS), step=st.integers(1, 700))
def test_unwraps_what_it_wraps_in_any_pieces(data: bytes, method: int, step: int) -> None:
    packed = blocks.compress_blocks(data, method)
    reader = blocks.BlockReader(len(data))
    pieces = [reader.feed(packed[at : at + step]) for at in range(0, len(packed), step)]
    assert b"".join(pieces) + reader.finish() == data


@given(data=st.binary(min_size=1, max_size=300), at=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_flipped_bit_is_noticed(data: bytes, at: int, bit: int) -> None:
    packed = bytearray(blocks.compress_blocks(data))
    packed[at % len(packed)] ^= 1 << bit

    def read() -> None:
        reader = blocks.BlockReader(1 << 30)
        reader.feed(bytes(packed))
        reader.finish()

    with pytest.raises(InvalidRequest):
        read()


def test_a_block_may_not_claim_more_than_is_left() -> None:
    reader = blocks.BlockReader(10)
    with pytest.raises(InvalidRequest, match="larger"):
        reader.feed(blocks.compress_blocks(b"x" * 11))
    with pytest.raises(InvalidRequest, match="larger"):
        blocks.BlockReader(1 << 40).feed(b"\0" * 16 + struct.pack("<BII", 0x82, 100, 1 << 31))


@given(junk=st.binary(max_size=200))
def test_junk_is_refused_or_waited_for(junk: bytes) -> None:
    reader = blocks.BlockReader(1 << 20)
    try:
        assert reader.feed(junk) == b""
        reader.finish()
    except InvalidRequest:
        pass


def test_large_data_become_several_blocks() -> None:
    data = bytes(range(256)) * 10_000
    packed = blocks.compress_blocks(data, blocks.NONE)
    assert len(packed) == len(data) + 3 * 25
    assert blocks.BlockReader(len(data)).feed(packed) == data


def test_a_block_without_rows() -> None:
    assert native_header([("a", "UInt8"), ("ü", "String")]) == (
        b"\x02\x00\x01a\x05UInt8\x02\xc3\xbc\x06String"
    )


def test_the_greeting_at_a_revision() -> None:
    block = b"\x02\x01\x01v\x06String\x03abc\x01r\x06UInt32\x01\x02\x03\x04"
    info = b"\x01\x00\x02\xff\xff\xff\xff\x00"
    assert at_revision(block, 0) == block
    assert at_revision(block, 54400) == info + block
    assert at_revision(block, 54460) == (
        info + b"\x02\x01\x01v\x06String\x00\x03abc\x01r\x06UInt32\x00\x01\x02\x03\x04"
    )
    with pytest.raises(InvalidRequest):
        at_revision(b"\x01\x01\x01a\x0bArray(UInt8)\x00", 54460)
