"""SVG as text: elements whose attributes and children are escaped. Pure functions."""

from collections.abc import Iterable

from markupsafe import Markup, escape

Attribute = str | float | int | None


def element(name: str, *children: str | Markup, **attributes: Attribute) -> Markup:
    """Return an element; ``None`` leaves an attribute out, ``_`` is written ``-``, a last ``_`` is dropped.

    >>> element("text", "a < b", x=1.25, class_="tick", text_anchor="end")
    Markup('<text x="1.2" class="tick" text-anchor="end">a &lt; b</text>')
    """
    written = Markup("").join(
        Markup(' {}="{}"').format(key.rstrip("_").replace("_", "-"), _said(value))
        for key, value in attributes.items()
        if value is not None
    )
    inner = Markup("").join(escape(child) for child in children)
    return Markup("<{0}{1}>{2}</{0}>").format(Markup(name), written, inner)


def picture(
    width: int, height: int, *children: Markup, label: str = "", class_: str = ""
) -> Markup:
    """Return an SVG picture; one without a ``label`` repeats what stands beside it, and is not read out."""
    spoken: dict[str, Attribute] = (
        {"role": "img", "aria_label": label} if label else {"aria_hidden": "true"}
    )
    return element(
        "svg",
        *children,
        viewBox=f"0 0 {width} {height}",
        width=width,
        height=height,
        class_=class_ or None,
        **spoken,
    )


def path(points: Iterable[tuple[float, float]]) -> str:
    """Return the ``d`` of a line through ``points``.

    >>> path([(0, 1), (10.04, 2.5)])
    'M0,1L10,2.5'
    """
    told = "L".join(f"{_said(x)},{_said(y)}" for x, y in points)
    return f"M{told}" if told else ""


def _said(value: Attribute) -> str:
    """Say a number to a tenth: finer than a screen shows."""
    if isinstance(value, float):
        return f"{value:.1f}".removesuffix(".0")
    return str(value)
