"""What the cells say against the aims of benchmarks.md §2."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Figures = Mapping[str, Any]

MAX_FALSE, MAX_FALSE_SHARE = 0.05, 0.10
MIN_POWER = 0.90
MAX_OVER_C = {"600 x 1": 0.75, "120 x 5": 0.95}


def aims(cells: Sequence[Figures], real: Figures | None) -> list[dict[str, Any]]:
    """Compare with what was asked for; None where it was not measured."""
    return [
        _at_most("ships of nulls: N0 N1 N2 V F1 F2 O", _nulls(cells), MAX_FALSE),
        _at_most("ships, judge kinder to the candidate, truth 0", _judged(cells, 0.0), MAX_FALSE),
        _at_most("ships of harmful candidates: H1-H4", _harmful(cells), MAX_FALSE),
        _at_most("false share of ships in a stream: N3", _streams(cells), MAX_FALSE_SHARE),
        _at_most("ships without gold: J g=0", _without_gold(cells), 0.0),
        _power(cells),
        *(_speed(cells, design, most) for design, most in MAX_OVER_C.items()),
        *(_real(real) if real else []),
    ]


def table(cells: Sequence[Figures]) -> str:
    """Return a line a cell: ours, then practice."""
    head = (
        f"{'cell':<22}{'design':<9}{'truth':>7}{'off':>8}{'[low high]':>18}{'on':>8}"
        f"{'[low high]':>18}{'pairs':>7}{'/c':>6}{'a':>7}{'b':>7}{'c':>7}{'d':>7}"
    )
    return "\n".join([head, *(_line(cell) for cell in cells)])


def _line(cell: Figures) -> str:
    off, on = cell["guardrails_off"], cell.get("guardrails_on", {})
    beside = cell["practice"]

    def ships(figures: Figures) -> str:
        value = figures.get("ships", figures.get("false_share"))
        if value is None:
            return f"{'':>8}{'':>18}"
        bounds = f"[{figures['low']:.3f} {figures['high']:.3f}]"
        return f"{value:>8.4f}{bounds:>18}"

    def one(name: str) -> str:
        figures = beside.get(name, {})
        value = figures.get("ships", figures.get("false_share"))
        return f"{'':>7}" if value is None else f"{value:>7.3f}"

    pairs = off.get("median_pairs")
    over = off.get("median_over_c")
    return (
        f"{cell['cell']:<22}{cell['design']:<9}{cell['truth']:>+7.3f}{ships(off)}{ships(on)}"
        f"{'' if pairs is None else f'{pairs:.0f}':>7}{'' if over is None else f'{over:.2f}':>6}"
        f"{''.join(one(name) for name in 'abcd')}"
    )


def _at_most(aim: str, found: Mapping[str, float], most: float) -> dict[str, Any]:
    worst = max(found, key=lambda name: found[name]) if found else None
    return {
        "aim": f"{aim} ({len(found)} figures)",
        "wanted": f"<= {most:g}",
        "measured": None if worst is None else f"{found[worst]:.4f} at worst ({worst})",
        "met": None if worst is None else found[worst] <= most,
    }


def _ships(
    cells: Sequence[Figures], wanted: Callable[[str], bool], sides: Sequence[str]
) -> dict[str, float]:
    return {
        f"{cell['cell']} {cell['design']} {side}": cell[side]["ships"]
        for cell in cells
        for side in sides
        if wanted(cell["cell"]) and "ships" in cell.get(side, {})
    }


_BOTH = ("guardrails_off", "guardrails_on")


def _nulls(cells: Sequence[Figures]) -> dict[str, float]:
    names = {"N0", "N1", "N2", "V", "V kept", "F1", "F2", "O"}
    return _ships(cells, names.__contains__, (*_BOTH, "e_bh"))


def _judged(cells: Sequence[Figures], truth: float) -> dict[str, float]:
    return _ships(cells, lambda name: name.startswith(f"J {truth:+.2f}"), _BOTH)


def _harmful(cells: Sequence[Figures]) -> dict[str, float]:
    return _ships(cells, {"H1", "H2", "H3", "H4"}.__contains__, ("guardrails_on",))


def _without_gold(cells: Sequence[Figures]) -> dict[str, float]:
    return _ships(cells, lambda name: name.startswith("J") and "g=0.00" in name, _BOTH)


def _streams(cells: Sequence[Figures]) -> dict[str, float]:
    return {
        f"{cell['cell']} {cell['design']}": cell["guardrails_off"]["false_share"]
        for cell in cells
        if cell["cell"] == "N3"
    }


def _power(cells: Sequence[Figures]) -> dict[str, Any]:
    found = [
        cell["guardrails_off"]["ships"]
        for cell in cells
        if cell["cell"] == "P +0.10" and cell["design"] == "600 x 1"
    ]
    return {
        "aim": "+.10 shipped by 600 pairs, r=1, guardrails off",
        "wanted": f">= {MIN_POWER:g}",
        "measured": found[0] if found else None,
        "met": found[0] >= MIN_POWER if found else None,
    }


def _speed(cells: Sequence[Figures], design: str, most: float) -> dict[str, Any]:
    found = [
        cell["guardrails_off"]["median_over_c"]
        for cell in cells
        if cell["cell"] == "P +0.15" and cell["design"] == design
    ]
    return {
        "aim": f"median pairs over those of (c) at +.15, {design}",
        "wanted": f"<= {most:g}",
        "measured": found[0] if found else None,
        "met": found[0] <= most if found else None,
    }


def _real(real: Figures) -> list[dict[str, Any]]:
    same, variants = real["a_a"], real["a_b"]
    found = f"{variants['large_found']} of {variants['large']}"
    return [
        {
            "aim": "A/A ships, tau_bench airline",
            "wanted": f"<= {MAX_FALSE:g}",
            "measured": same["ships"],
            "met": same["ships"] <= MAX_FALSE,
        },
        {
            "aim": f"A/B ships against the sign, {variants['pairs']} pairs of variants",
            "wanted": 0,
            "measured": len(variants["against_the_sign"]),
            "met": not variants["against_the_sign"],
        },
        {
            "aim": "A/B differences >= .4 found",
            "wanted": "all",
            "measured": found,
            "met": variants["large_found"] == variants["large"],
        },
    ]
