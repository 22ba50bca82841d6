"""Scales of charts: where a value lies, and which values are named on an axis. Pure functions."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Scale:
    """A straight line from values to pixels.

    Attributes:
        low: value at ``start``.
        high: value at ``end``; a scale without extent puts every value in the middle.
        start: pixel of ``low``.
        end: pixel of ``high``; may be less than ``start`` (an axis that points upwards).
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the pixel of ``value``, kept between ``start`` and ``end``.

        >>> Scale(0, 10, 100, 0)(2.5), Scale(0, 10, 0, 100)(11), Scale(3, 3, 0, 100)(3)
        (75.0, 100.0, 50.0)
        """
        if self.high == self.low:
            return (self.start + self.end) / 2
        share = min(max((value - self.low) / (self.high - self.low), 0.0), 1.0)
        return self.start + share * (self.end - self.start)


def nice_ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return multiples of 1, 2 or 5 times a power of ten in [low, high], at most ``most``.

    >>> nice_ticks(0, 31), nice_ticks(-0.37, 0.52, 4), nice_ticks(2, 2)
    ([0.0, 10.0, 20.0, 30.0], [-0.2, 0.0, 0.2, 0.4], [2.0])
    """
    if not high > low:
        return [float(low)]
    size = 10.0 ** math.floor(math.log10((high - low) / most))
    for step in (size, 2 * size, 5 * size, 10 * size, 20 * size):
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first + 1 <= most:
            return [n * step for n in range(first, last + 1)]
    raise AssertionError("twice the range over `most` is more than any step tried")


def decades(low: float, high: float, most: int = 5) -> list[int]:
    """Return exponents n with 10**n in [low, high] (both positive), thinned out evenly to at most ``most``.

    >>> decades(0.3, 2000), decades(1, 1e12, 4)
    ([0, 1, 2, 3], [0, 4, 8, 12])
    """
    first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
    step = max(1, math.ceil((last - first + 1) / most))
    return [n for n in range(first, last + 1) if n % step == 0]


def day_ticks(first: date, last: date, most: int = 6) -> list[date]:
    """Return evenly spaced days from ``first`` on, at most ``most``, none after ``last``.

    >>> [f"{d:%d}" for d in day_ticks(date(2026, 11, 1), date(2026, 11, 30), 5)]
    ['01', '08', '15', '22', '29']
    """
    n = (last - first).days + 1
    step = next(
        (step for step in (1, 2, 7, 14, 28) if math.ceil(n / step) <= most), math.ceil(n / most)
    )
    return [first + timedelta(days=k) for k in range(0, n, step)]


def days_between(first: date, last: date) -> Sequence[date]:
    """Return every day from ``first`` to ``last``, both included.

    >>> len(days_between(date(2026, 11, 29), date(2026, 12, 2)))
    4
    """
    return [first + timedelta(days=k) for k in range((last - first).days + 1)]
