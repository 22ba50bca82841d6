"""Small plots made of characters, for tables in a terminal. Pure functions."""

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"


def interval(
    low: float | None,
    point: float | None,
    high: float | None,
    *,
    span: tuple[float, float],
    width: int = 24,
) -> str:
    """Draw an interval on a scale from ``span[0]`` to ``span[1]``; empty where it is unknown.

    >>> interval(0.25, 0.5, 0.75, span=(0.0, 1.0), width=9)
    '··━━●━━··'
    >>> interval(None, None, None, span=(0.0, 1.0), width=9)
    ''
    """
    if low is None or high is None:
        return ""
    first, last = (_place(value, span, width) for value in (low, high))
    drawn = ["━" if first <= place <= last else "·" for place in range(width)]
    if point is not None:
        drawn[_place(point, span, width)] = "●"
    return "".join(drawn)


def bar(value: float | None, *, width: int = 10) -> str:
    """Draw a share of 0 to 1 as a bar; empty where it is unknown.

    >>> bar(0.5, width=4)
    '██░░'
    """
    if value is None:
        return ""
    full = round(min(max(value, 0.0), 1.0) * width)
    return "█" * full + "░" * (width - full)


def sparkline(counts: Sequence[float]) -> str:
    """Draw counts as columns, the highest full.

    >>> sparkline([0, 1, 2, 4])
    '▁▂▄█'
    """
    top = max(counts, default=0)
    if top <= 0:
        return BLOCKS[0] * len(counts)
    return "".join(BLOCKS[max(0, round(count / top * 8) - 1)] for count in counts)


def _place(value: float, span: tuple[float, float], width: int) -> int:
    share = (value - span[0]) / (span[1] - span[0])
    return min(width - 1, max(0, round(share * (width - 1))))
