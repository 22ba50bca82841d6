"""The charts of the page, as SVG: pure functions of what they show.

Colours are classes of the style sheet, so that light, dark and print each have their own. Form tells what
colour tells: a measured value is a dot, bounds without a value a hollow bar, a threshold a dashed line.
What is unknown is a gap.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import NamedTuple, TypeVar

from markupsafe import Markup

from spanloop.service.report.marks import bar
from spanloop.service.report.scales import (
    Scale,
    day_ticks,
    days_between,
    decades,
    nice_ticks,
)
from spanloop.service.report.svg import element, path, picture
from spanloop.service.report.text import percent, plural, short

LEFT, RIGHT, BELOW = 44, 12, 20
"""Pixels kept for the names of the axes."""
T = TypeVar("T", int, float)


class DayRate(NamedTuple):
    """Satisfaction of one day; all three None: unknown; only ``rate`` None: bounded, not measured."""

    day: date
    low: float | None
    rate: float | None
    high: float | None


class DayCount(NamedTuple):
    """How much of something there was on one day."""

    day: date
    n: float


class Event(NamedTuple):
    """Something that happened on a day, named briefly."""

    day: date
    name: str


class Look(NamedTuple):
    """One look at an experiment; ``e_value`` None: not computed."""

    closed: int
    e_value: float | None


class Pair(NamedTuple):
    """Experiments and wins of one cycle."""

    experiments: int
    wins: int


def satisfaction_by_day(
    rates: Sequence[DayRate],
    counts: Sequence[DayCount],
    events: Sequence[Event] = (),
    *,
    width: int = 720,
    label: str,
) -> Markup:
    """Draw satisfaction with its interval by day, and below it how many conversations there were."""
    days = [rate.day for rate in rates] + [each.day for each in counts]
    if not days:
        return Markup("")
    x = _day_scale(min(days), max(days), width)
    top, middle, bottom = 16, 172, 222
    y = Scale(0.0, 1.0, middle, top)
    bars = Scale(0.0, max([each.n for each in counts], default=1.0) or 1.0, bottom, middle + 18)
    half = _half_width(min(days), max(days), width)
    return picture(
        width,
        bottom + BELOW,
        *_grid(y, (0.0, 0.25, 0.5, 0.75, 1.0), width, name=percent),
        *(_event(each, x, (top, bottom), width) for each in events),
        *(_rate(each, x(each.day.toordinal()), y, half) for each in rates),
        *(bar(x(each.day.toordinal()), bars(each.n), bottom, half) for each in counts),
        element("line", x1=LEFT, x2=width - RIGHT, y1=bottom, y2=bottom, class_="axis"),
        element(
            "text", short(bars.high), x=LEFT - 6, y=middle + 22, class_="tick", text_anchor="end"
        ),
        *_day_names(x, bottom + 15, width),
        label=label,
    )


def bars_by_day(counts: Sequence[DayCount], *, width: int = 340, label: str) -> Markup:
    """Draw how much of something there was by day."""
    if not counts:
        return Markup("")
    first, last = min(each.day for each in counts), max(each.day for each in counts)
    x, bottom = _day_scale(first, last, width), 84
    ticks = nice_ticks(0.0, max(each.n for each in counts) or 1.0, 3)
    y = Scale(0.0, max(*ticks, *(each.n for each in counts)) or 1.0, bottom, 10)
    half = _half_width(first, last, width)
    return picture(
        width,
        bottom + BELOW,
        *_grid(y, ticks, width, name=short),
        *(bar(x(each.day.toordinal()), y(each.n), bottom, half) for each in counts),
        *_day_names(x, bottom + 15, width),
        label=label,
    )


def evidence_path(
    looks: Sequence[Look], need: float | None, planned: int, *, width: int = 340, label: str
) -> Markup:
    """Draw the e-value look by look on a logarithmic scale, and the value from which a candidate ships.

    Args:
        looks: in order; those without an e-value are gaps.
        need: 1/level, None where no level is known.
        planned: scenarios of the plan, where the axis ends.
        width: pixels.
        label: what is read out in its place.
    """
    known = [each.e_value for each in looks if each.e_value is not None and each.e_value > 0]
    highest, lowest = max([1.0, need or 1.0, *known]), min([1.0, *known])
    y = Scale(math.log10(lowest) - 0.15, math.log10(highest) + 0.25, 128, 12)
    x = Scale(0.0, float(max([planned, 1, *(each.closed for each in looks)])), LEFT, width - RIGHT)
    return picture(
        width,
        128 + BELOW,
        *_grid(y, decades(lowest, highest), width, name=_power),
        *_threshold(need, y, width),
        *(
            element("text", f"{tick:.0f}", x=x(tick), y=143, class_="tick", text_anchor="middle")
            for tick in nice_ticks(0, x.high, 5)
            if tick == round(tick)
        ),
        *(
            element("path", d=path((x(a), y(math.log10(b))) for a, b in run), class_="trace")
            for run in _runs(looks)
        ),
        *(
            element("circle", cx=x(a), cy=y(math.log10(b)), r=3, class_="dot")
            for run in _runs(looks)
            for a, b in run
        ),
        label=label,
    )


def learning(cycles: Sequence[Pair], *, width: int = 340, label: str) -> Markup:
    """Draw experiments (hollow) and wins (full) cycle by cycle."""
    if not cycles:
        return Markup("")
    bottom = 104
    ticks = [
        t for t in nice_ticks(0.0, max(1, *(c.experiments for c in cycles)), 4) if t == round(t)
    ]
    y = Scale(0.0, float(max(1, *(c.experiments for c in cycles))), bottom, 10)
    step = (width - LEFT - RIGHT) / len(cycles)
    half = min(step * 0.36, 22.0)
    return picture(
        width,
        bottom + BELOW,
        *_grid(y, ticks, width, name=short),
        *(
            bar(LEFT + (k + 0.5) * step, y(c.experiments), bottom, half, name="hollow")
            for k, c in enumerate(cycles)
        ),
        *(
            bar(LEFT + (k + 0.5) * step, y(c.wins), bottom, half)
            for k, c in enumerate(cycles)
            if c.wins
        ),
        *(
            element(
                "text",
                str(k + 1),
                x=LEFT + (k + 0.5) * step,
                y=bottom + 15,
                class_="tick",
                text_anchor="middle",
            )
            for k in range(0, len(cycles), max(1, len(cycles) // 10))
        ),
        label=label,
    )


def _day_scale(first: date, last: date, width: int) -> Scale:
    room = _half_width(first, last, width) + 1
    return Scale(
        float(first.toordinal()), float(last.toordinal()), LEFT + room, width - RIGHT - room
    )


def _half_width(first: date, last: date, width: int) -> float:
    n = len(days_between(first, last))
    return min(12.0, 0.36 * (width - LEFT - RIGHT) / n)


def _day_names(x: Scale, y: float, width: int) -> list[Markup]:
    first, last = date.fromordinal(int(x.low)), date.fromordinal(int(x.high))
    return [
        element(
            "text", f"{day:%d %b}", x=x(day.toordinal()), y=y, class_="tick", text_anchor="middle"
        )
        for day in day_ticks(first, last, max(2, width // 90))
        if x(day.toordinal()) <= width - 20
    ]


def _grid(y: Scale, ticks: Iterable[T], width: int, *, name: Callable[[T], str]) -> list[Markup]:
    """Return a line across and its name on the left for each of ``ticks``, values of ``y``."""
    return [
        mark
        for tick in ticks
        for mark in (
            element("line", x1=LEFT, x2=width - RIGHT, y1=y(tick), y2=y(tick), class_="grid"),
            element(
                "text", name(tick), x=LEFT - 6, y=y(tick) + 4, class_="tick", text_anchor="end"
            ),
        )
    ]


def _event(event: Event, x: Scale, ends: tuple[float, float], width: int) -> Markup:
    at = x(event.day.toordinal())
    side = "end" if at > width * 0.8 else "start"
    return Markup("").join(
        (
            element("line", x1=at, x2=at, y1=ends[0] - 6, y2=ends[1], class_="event"),
            element(
                "text",
                event.name,
                x=at + (4 if side == "start" else -4),
                y=ends[0] - 5,
                class_="tick",
                text_anchor=side,
            ),
        )
    )


def _rate(each: DayRate, at: float, y: Scale, half: float) -> Markup:
    if each.low is None or each.high is None:
        return Markup("")
    if each.rate is None:
        return element(
            "rect",
            x=at - half / 2,
            width=half,
            y=y(each.high),
            height=max(y(each.low) - y(each.high), 1.0),
            class_="hollow",
        )
    return Markup("").join(
        (
            element("line", x1=at, x2=at, y1=y(each.low), y2=y(each.high), class_="whisker"),
            element("circle", cx=at, cy=y(each.rate), r=min(4.0, half + 1), class_="dot"),
        )
    )


def _power(exponent: int) -> str:
    """Say a power of ten.

    >>> _power(2), _power(-3), _power(7)
    ('100', '0.001', '1e7')
    """
    return f"{10.0**exponent:g}" if -4 < exponent < 5 else f"1e{exponent}"


def _threshold(need: float | None, y: Scale, width: int) -> list[Markup]:
    if need is None:
        return []
    at = y(math.log10(need))
    return [
        element("line", x1=LEFT, x2=width - RIGHT, y1=at, y2=at, class_="threshold"),
        element(
            "text",
            f"ships from {need:.3g}",
            x=LEFT + 4,  # evidence begins low on this side
            y=at - 4,
            class_="tick strong",
        ),
    ]


def _runs(looks: Sequence[Look]) -> list[list[tuple[float, float]]]:
    """Return stretches of looks with an e-value; an e-value of 0 is drawn at the lowest that is not."""
    known = [each.e_value for each in looks if each.e_value is not None and each.e_value > 0]
    floor = min([1.0, *known])
    runs: list[list[tuple[float, float]]] = [[]]
    for each in looks:
        if each.e_value is None:
            runs.append([])
        else:
            runs[-1].append((float(each.closed), max(each.e_value, floor)))
    return [run for run in runs if run]


def describe_days(rates: Sequence[DayRate]) -> str:
    """Say in one sentence what `satisfaction_by_day` shows, for those who do not see it."""
    known = [each for each in rates if each.rate is not None]
    bounded = sum(each.rate is None and each.low is not None for each in rates)
    said = [f"Satisfaction by day over {plural(len(rates), 'day')}"]
    if known:
        least = min(known, key=lambda each: each.rate or 0.0)
        most = max(known, key=lambda each: each.rate or 0.0)
        said.append(
            f"measured on {plural(len(known), 'day')}, from {percent(least.rate)} on {least.day} "
            f"to {percent(most.rate)} on {most.day}"
        )
    if bounded:
        said.append(f"only bounded on {plural(bounded, 'day')}")
    if len(known) + bounded < len(rates):
        said.append(f"unknown on {plural(len(rates) - len(known) - bounded, 'day')}")
    return "; ".join(said) + ". The figures are in the table below."
