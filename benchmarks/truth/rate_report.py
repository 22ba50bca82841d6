"""What `rate_coverage` concludes from its cells: the aims of benchmarks.md §1, and spreads."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

LOW, HIGH = 0.93, 0.97
FEW_CLUSTERS = 20
FEW_LOW = 0.90
MAX_RATIO = 1.02
MAX_SIMULATED_RATIO = 0.85
MONTE_CARLO_LEVEL = 0.99
"""Of the interval around a measured coverage: with some 180 cells, 95 % would cry wolf nine times."""


def aims(
    cells: Sequence[Mapping[str, Any]], raters: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Compare with what benchmarks.md asks for; Monte-Carlo error is allowed for, and printed."""
    many = [c for c in cells if c["clusters"] >= FEW_CLUSTERS and c["coverage"] is not None]
    few = [c for c in cells if c["clusters"] < FEW_CLUSTERS and c["coverage"] is not None]
    off = [c for c in many if c["monte_carlo"][0] > HIGH or c["monte_carlo"][1] < LOW]
    low = [c for c in few if c["monte_carlo"][1] < FEW_LOW]
    ratios = [c["width_ratio"] for c in cells if c["width_ratio"] is not None]
    simulated = [
        c
        for c in cells
        if c["population"] == "assessor_85" and c["drawn"] in ("10% of runs", "20% of runs")
    ]
    narrow = max((c["width_ratio"] for c in simulated), default=None)
    bounded = [c for c in raters if c["coverage_bounds"] is not None]
    return [
        {
            "aim": f"coverage where >= {FEW_CLUSTERS} clusters are drawn ({len(many)} cells)",
            "wanted": f"{LOW} to {HIGH}, within Monte-Carlo error",
            "measured": {**spread(many), "outside": [named(c) for c in off]},
            "met": not off if many else None,
        },
        {
            "aim": f"coverage below {FEW_CLUSTERS} clusters ({len(few)} cells), or unknown",
            "wanted": f">= {FEW_LOW}, within Monte-Carlo error",
            "measured": {**spread(few), "below": [named(c) for c in low]},
            "met": not low if few else None,
        },
        {
            "aim": "never wider than labels alone",
            "wanted": f"<= {MAX_RATIO}",
            "measured": max(ratios, default=None),
            "met": max(ratios) <= MAX_RATIO if ratios else None,
        },
        {
            "aim": "narrower with an assessor of sensitivity = specificity = 0.85 (10 and 20 % of "
            "runs, both truths, the worst of them)",
            "wanted": f"<= {MAX_SIMULATED_RATIO}",
            "measured": narrow,
            "met": narrow <= MAX_SIMULATED_RATIO if narrow is not None else None,
        },
        {
            "aim": "volunteers alone: bounds hold the truth, no corrected rate is shown",
            "wanted": ">= 0.95 within Monte-Carlo error, 0 shown",
            "measured": {
                "least": min((c["coverage_bounds"] for c in bounded), default=None),
                "naive": [min_of(raters, "coverage_naive"), max_of(raters, "coverage_naive")],
                "shown": sum(c["corrected_rates_shown"] for c in raters),
            },
            "met": all(
                c["monte_carlo"][1] >= 0.95 and c["corrected_rates_shown"] == 0 for c in bounded
            )
            if bounded
            else None,
        },
    ]


def summary(cells: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return spreads over the cells with enough clusters, ours beside the baselines."""
    many = [c for c in cells if c["clusters"] >= FEW_CLUSTERS]
    keys = ("coverage", "coverage_labels_alone", "coverage_naive_labels", "coverage_naive_score")
    strict = [c for c in many if c["coverage"] is not None and LOW <= c["coverage"] <= HIGH]
    return {
        "cells": len(cells),
        "cells_with_enough_clusters": len(many),
        "of_them_within_the_aim_to_the_letter": len(strict),
        **{key: spread(many, key) for key in keys},
        "width_ratio": spread(many, "width_ratio"),
        "width_ratio_less_theory": spread(
            [
                {"gap": round(c["width_ratio"] - c["width_ratio_theory"], 4)}
                for c in many
                if c["width_ratio"] is not None
            ],
            "gap",
        ),
    }


def spread(cells: Sequence[Mapping[str, Any]], key: str = "coverage") -> dict[str, float | None]:
    """Return least, mean and most of ``key``."""
    values = [float(c[key]) for c in cells if c[key] is not None]
    if not values:
        return {"least": None, "mean": None, "most": None}
    return {
        "least": rounded(min(values)),
        "mean": rounded(float(np.mean(values))),
        "most": rounded(max(values)),
    }


def min_of(cells: Sequence[Mapping[str, Any]], key: str) -> float | None:
    """Return the least of ``key``."""
    return spread(cells, key)["least"]


def max_of(cells: Sequence[Mapping[str, Any]], key: str) -> float | None:
    """Return the most of ``key``."""
    return spread(cells, key)["most"]


def named(cell: Mapping[str, Any]) -> str:
    """Return a cell and its coverage on one line."""
    return f"{cell['population']} {cell['truth']} {cell['drawn']}: {cell['coverage']}"


def rounded(value: float | None) -> float | None:
    """Return ``value`` to four places; missing stays missing."""
    return None if value is None else round(value, 4)
