"""Small pictures in a line of text or a table, as SVG; the figures stand beside them. Pure functions."""

from collections.abc import Sequence

from markupsafe import Markup

from spanloop.service.report.scales import Scale
from spanloop.service.report.svg import element, path, picture


def interval(
    low: float | None,
    point: float | None,
    high: float | None,
    *,
    span: tuple[float, float] = (-0.5, 0.5),
    width: int = 150,
) -> Markup:
    """Draw an interval on a line, the figures of which stand beside it; beyond ``span`` an arrow."""
    x = Scale(*span, 6, width - 6)
    marks = [element("line", x1=6, x2=width - 6, y1=9, y2=9, class_="grid")]
    if span[0] < 0 < span[1]:
        marks.append(element("line", x1=x(0), x2=x(0), y1=1, y2=17, class_="axis"))
    if low is not None and high is not None:
        name = "whisker" if point is not None else "bound"
        marks.append(element("line", x1=x(low), x2=x(high), y1=9, y2=9, class_=name))
        marks += [
            element(
                "path", d=path([(at + 4 * way, 5), (at, 9), (at + 4 * way, 13)]), class_="trace"
            )
            for at, way, beyond in ((x.start, 1, low < span[0]), (x.end, -1, high > span[1]))
            if beyond
        ]
    if point is not None:
        marks.append(element("circle", cx=x(point), cy=9, r=4, class_="dot"))
    return picture(width, 18, *marks, class_="inline")


def columns(counts: Sequence[float], *, height: int = 22) -> Markup:
    """Draw counts as small columns, the highest full; where there is none, only the base line is seen."""
    if not counts:
        return Markup("")
    width = min(120, 10 * len(counts))
    step = width / len(counts)
    y = Scale(0.0, max(counts) or 1.0, height - 1, 1)
    return picture(
        width,
        height,
        element("line", x1=0, x2=width, y1=height - 0.5, y2=height - 0.5, class_="grid"),
        *(bar((k + 0.5) * step, y(n), height - 1, step * 0.36) for k, n in enumerate(counts) if n),
        class_="inline",
    )


def bar(at: float, top: float, bottom: float, half: float, *, name: str = "bar") -> Markup:
    """Return a column on ``bottom``, ``half`` to each side of ``at``."""
    return element(
        "rect", x=at - half, width=2 * half, y=top, height=max(bottom - top, 0.0), class_=name
    )
