"""Where a note stands, under which id, and what of a text leaves."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.optimizer.annotations import note as module
from spanloop.optimizer.annotations.note import KINDS, Key, annotation_id, own_trace_id, safe_text
from tests.support.annotations import SPAN, TRACE, make_target


def test_examples_in_the_documentation_hold() -> None:
    assert doctest.testmod(module).failed == 0


def test_an_id_depends_on_everything_that_makes_a_version() -> None:
    keys: list[Key] = [
        ("pattern", TRACE, SPAN, "p1"),
        ("pattern", TRACE, SPAN, "p2"),
        ("pattern", TRACE, "c" * 16, "p1"),
        ("pattern", "d" * 32, SPAN, "p1"),
        ("scenario", TRACE, SPAN, "p1"),
    ]
    ids = [annotation_id(key, version) for key in keys for version in (1, 2)]
    assert len(set(ids)) == 10
    assert all(len(bytes.fromhex(one)) == 8 for one in ids)
    assert len(bytes.fromhex(own_trace_id("cycle", "c1"))) == 16
    assert len({own_trace_id(kind, "c1") for kind in KINDS}) == len(KINDS)


@given(
    start=st.integers(min_value=0, max_value=2**62),
    length=st.integers(min_value=-(10**9), max_value=10**12),
)
def test_a_note_lies_inside_its_span_however_a_viewer_rounds(start: int, length: int) -> None:
    target = make_target(start_ns=start, end_ns=start + length)
    inside = max(length, 1)  # Jaeger gives a span without length a nanosecond
    begin, end = target.moment_ns
    assert start <= begin < end <= start + inside
    # Jaeger's JSON: microseconds, start and duration rounded down apart.
    shown = begin // 1_000 + (end - begin) // 1_000
    assert start // 1_000 <= begin // 1_000 <= shown <= start // 1_000 + inside // 1_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("call +1 415 555 2671 or ann@example.org", "call <PHONE> or <EMAIL>"),
        ("a\x00b\x1b[31mc\u202ed", "a\ufffdb\ufffd[31mc\ufffdd"),
        ("half a pair \ud83d", "half a pair ?"),
        ("line\nnext\tcell", "line\nnext\tcell"),
    ],
)
def test_hostile_text_leaves_redacted_and_printable(text: str, shown: str) -> None:
    assert safe_text(text, 100) == shown


def test_a_secret_is_redacted_before_the_text_is_cut() -> None:
    secret = "sk-" + "a1B2" * 10
    assert safe_text(f"key {secret}", 20) == "key <SECRET>"
    assert "a1B2" not in safe_text("x" * 10 + f" {secret}", 25)


@given(text=st.text(), most=st.integers(min_value=1, max_value=50))
def test_no_text_is_longer_than_its_cap_or_breaks_utf_8(text: str, most: int) -> None:
    shown = safe_text(text, most)
    assert len(shown) <= most
    assert shown.encode().decode() == shown
