"""Plots of characters: the right places, and nothing where nothing is known."""

from __future__ import annotations

import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.service import exploring
from spanloop.service.cli import plots, stories


@pytest.mark.parametrize("module", [plots, stories, exploring])
def test_the_examples_hold(module: object) -> None:
    assert doctest.testmod(module).failed == 0  # type: ignore[arg-type]


@given(st.floats(-2, 2), st.floats(-2, 2), st.integers(2, 60))
def test_an_interval_has_its_width_and_its_point(low: float, high: float, width: int) -> None:
    low, high = min(low, high), max(low, high)
    drawn = plots.interval(low, (low + high) / 2, high, span=(-1.0, 1.0), width=width)
    assert len(drawn) == width
    assert drawn.count("●") == 1
    assert plots.interval(low, None, high, span=(-1.0, 1.0), width=width).count("━") >= 1


@given(st.lists(st.integers(0, 1000)))
def test_a_sparkline_has_a_column_a_day(counts: list[int]) -> None:
    drawn = plots.sparkline(counts)
    assert len(drawn) == len(counts)
    if any(counts):
        assert "█" in drawn


def test_what_is_unknown_is_drawn_as_nothing() -> None:
    assert plots.bar(None) == plots.interval(0.1, None, None, span=(0, 1)) == ""
    assert stories.probability(None) == stories.percent(None) == "unknown"
