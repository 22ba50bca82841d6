"""Charts: right places, gaps where nothing is known, something sensible for no data, one point, extremes."""

from __future__ import annotations

import math
import re
from datetime import date, timedelta
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spanloop.service.report.charts import (
    DayCount,
    DayRate,
    Event,
    Look,
    Pair,
    bars_by_day,
    describe_days,
    evidence_path,
    learning,
    satisfaction_by_day,
)
from spanloop.service.report.marks import columns, interval
from spanloop.service.report.scales import Scale, day_ticks, days_between, decades, nice_ticks

DAY = date(2026, 11, 1)


def found(drawn: str, name: str) -> list[dict[str, str]]:
    """Return the attributes of the elements of class ``name``."""
    return [dict(e.attrib) for e in ET.fromstring(drawn).iter() if e.get("class") == name]


def texts(drawn: str) -> list[str]:
    return [e.text or "" for e in ET.fromstring(drawn).iter() if e.tag == "text"]


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(2, 9))
def test_ticks_are_few_even_and_inside(low: float, extent: float, most: int) -> None:
    ticks = nice_ticks(low, low + extent, most)
    assert len(ticks) <= most
    assert all(low - extent * 1e-6 <= tick <= low + extent * (1 + 1e-6) for tick in ticks)
    steps = {round((b - a) / extent, 6) for a, b in pairwise(ticks)}
    assert len(steps) <= 1


@given(st.floats(-12, 3), st.floats(0.2, 30), st.integers(1, 8))
def test_decades_are_few_and_inside(low: float, extent: float, most: int) -> None:
    inside = decades(10**low, 10 ** (low + extent), most)
    assert len(inside) <= most + 1
    assert all(low - 1e-6 <= n <= low + extent + 1e-6 for n in inside)


@given(st.integers(0, 4_000), st.integers(2, 12))
def test_days_named_are_few_and_begin_with_the_first(n: int, most: int) -> None:
    named = day_ticks(DAY, DAY + timedelta(days=n), most)
    assert named[0] == DAY
    assert len(named) <= most
    assert named[-1] <= DAY + timedelta(days=n)


def test_every_day_is_between() -> None:
    assert days_between(DAY, DAY) == [DAY]


def test_a_scale_keeps_what_is_beyond_it_at_its_ends() -> None:
    scale = Scale(0, 1, 100, 0)
    assert [scale(v) for v in (-1, 0.25, 7)] == [100, 75, 0]


def test_nothing_to_draw_is_no_picture() -> None:
    assert satisfaction_by_day([], [], label="x") == ""
    assert bars_by_day([], label="x") == ""
    assert columns([]) == ""
    assert learning([], label="x") == ""


def test_one_day_is_drawn_once_in_the_middle() -> None:
    drawn = satisfaction_by_day(
        [DayRate(DAY, 0.4, 0.5, 0.6)], [DayCount(DAY, 7)], width=700, label="x"
    )
    (dot,) = found(drawn, "dot")
    assert 300 < float(dot["cx"]) < 420
    assert "01 Nov" in texts(drawn)


def test_a_day_that_is_unknown_is_a_gap_and_one_that_is_bounded_has_no_dot() -> None:
    rates = [
        DayRate(DAY, 0.4, 0.5, 0.6),
        DayRate(DAY + timedelta(days=1), None, None, None),
        DayRate(DAY + timedelta(days=2), 0.1, None, 0.9),
    ]
    drawn = satisfaction_by_day(rates, [], label="x")
    assert len(found(drawn, "dot")) == 1
    assert len(found(drawn, "whisker")) == 1
    assert len(found(drawn, "hollow")) == 1


def test_satisfaction_is_drawn_where_it_is() -> None:
    rates = [DayRate(DAY, 0.0, 0.0, 1.0), DayRate(DAY + timedelta(days=9), 0.5, 1.0, 1.0)]
    low, high = found(satisfaction_by_day(rates, [], label="x"), "dot")
    assert float(low["cy"]) > float(high["cy"])
    assert float(low["cx"]) < float(high["cx"])


def test_a_release_is_named_on_its_day() -> None:
    drawn = satisfaction_by_day(
        [DayRate(DAY, 0.4, 0.5, 0.6)], [], [Event(DAY, "release <1>")], label="x"
    )
    assert "release <1>" in texts(drawn)


def test_the_picture_is_told_to_those_who_do_not_see_it() -> None:
    rates = [
        DayRate(DAY, 0.4, 0.5, 0.6),
        DayRate(DAY + timedelta(days=1), None, None, None),
        DayRate(DAY + timedelta(days=2), 0.1, None, 0.9),
    ]
    told = describe_days(rates)
    assert "measured on 1 day" in told
    assert "only bounded on 1 day" in told
    assert "unknown on 1 day" in told
    assert "Satisfaction by day over 0 days" in describe_days([])


def test_evidence_is_drawn_on_a_logarithmic_scale() -> None:
    looks = [Look(0, 1.0), Look(10, 10.0), Look(20, 100.0)]
    ys = [float(m["cy"]) for m in found(evidence_path(looks, 100.0, 20, label="x"), "dot")]
    assert ys[0] - ys[1] == pytest.approx(ys[1] - ys[2], abs=0.2)
    (threshold,) = found(evidence_path(looks, 100.0, 20, label="x"), "threshold")
    assert float(threshold["y1"]) == pytest.approx(ys[2], abs=0.1)


def test_a_look_without_an_e_value_is_a_gap() -> None:
    drawn = evidence_path([Look(0, 1.0), Look(10, None), Look(20, 3.0)], 50.0, 20, label="x")
    assert len(found(drawn, "trace")) == 2
    assert len(found(drawn, "dot")) == 2


@pytest.mark.parametrize(
    ("looks", "need", "planned"),
    [
        ([], None, 0),
        ([], 200.0, 40),
        ([Look(0, None)], None, 0),
        ([Look(5, 0.0)], 20.0, 5),
        ([Look(5, 1e-9), Look(9, 1e300)], 1e12, 5),
    ],
)
def test_no_evidence_and_extreme_evidence_are_drawn_inside(
    looks: list[Look], need: float | None, planned: int
) -> None:
    drawn = evidence_path(looks, need, planned, label="x")
    numbers = [float(n) for n in re.findall(r' (?:x|y|x1|x2|y1|y2|cx|cy)="([^"]+)"', drawn)]
    assert all(math.isfinite(n) and -20 <= n <= 360 for n in numbers)


def test_an_interval_has_its_point_its_bounds_and_its_arrows() -> None:
    drawn = interval(-0.9, 0.1, 0.2)
    assert len(found(drawn, "dot")) == 1
    assert len(found(drawn, "whisker")) == 1
    assert len(found(drawn, "trace")) == 1  # beyond the left end
    assert len(found(interval(0.1, None, 0.2), "bound")) == 1
    unknown = interval(None, None, None)
    assert not found(unknown, "dot")
    assert not found(unknown, "whisker")


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=60))
def test_the_highest_column_is_full(counts: list[float]) -> None:
    bars = found(columns(counts, height=22), "bar")
    assert len(bars) == sum(n > 0 for n in counts)
    if bars:
        assert max(float(bar["height"]) for bar in bars) == pytest.approx(20, abs=0.1)


def test_wins_stand_in_their_experiments() -> None:
    drawn = learning([Pair(4, 0), Pair(4, 2)], label="x")
    assert len(found(drawn, "hollow")) == 2
    (win,) = found(drawn, "bar")
    assert float(win["height"]) == pytest.approx(
        float(found(drawn, "hollow")[1]["height"]) / 2, abs=0.1
    )


def test_zero_tokens_are_a_flat_chart() -> None:
    assert len(found(bars_by_day([DayCount(DAY, 0.0)], label="x"), "bar")) == 1
