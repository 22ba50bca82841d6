"""Words of traces are harmless once they are quoted, and numbers say what is unknown."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.service.cli import reporting
from spanloop.service.report import charts, page, scales, shaping, svg, text

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"
HIDDEN = "\u200b\u2060\ufeff\x00\x1b\x7f\u0085\u2028\ud800\U000e0041\u00ad"


@pytest.mark.parametrize("module", [text, scales, svg, charts, shaping, page, reporting])
def test_the_examples_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@pytest.mark.parametrize("character", BIDI + HIDDEN)
def test_what_is_not_seen_is_shown_as_a_mark(character: str) -> None:
    assert text.quoted(f"a{character}b") == "a\ufffdb"


def test_words_of_any_script_stay() -> None:
    said = "naïve 注文 \u0645\u0631\u062d\u0628\u0627 שלום 👩\u200d🔧 e\u0301"
    assert text.quoted(said) == said


def test_marks_that_would_cover_the_lines_around_are_dropped() -> None:
    assert text.quoted("a" + "\u0335" * 500 + "b") == "a" + "\u0335" * 3 + "b"


def test_a_secret_is_recognised_before_the_text_is_cut() -> None:
    said = "x" * 390 + " sk-proj-abcdefghijklmnopqrstuvwxyz0123456789"
    assert "sk-proj" not in text.quoted(said)
    assert text.quoted("card 4111 1111 1111 1111") == "card <CARD>"


@given(st.text(max_size=3_000), st.integers(1, 500))
def test_a_quoted_text_is_capped_and_can_be_written(said: str, n: int) -> None:
    shown = text.quoted(said, n)
    assert len(shown) <= n + len(" … (20,000 more characters)")
    shown.encode()


def test_how_much_is_left_out_is_said() -> None:
    assert text.quoted("x" * 30_000).endswith("… (29,600 more characters)")


def test_unknown_is_never_zero() -> None:
    said = (text.percent, text.points, text.count, text.short, text.figures, text.usd)
    assert {function(None) for function in said} == {"unknown"}
    assert text.usd(0.0) == "0 USD"
    assert text.count(0) == "0"
