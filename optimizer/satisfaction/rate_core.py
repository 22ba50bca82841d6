"""The satisfaction rate of many groups at once, from labels, scores and sums: no store, no clock.

Exactly these functions are measured by the coverage benchmark. A score (a model's probability, a
judge) never stands alone: it is corrected by labels of a random sample, or it is not used.
"""

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spanloop.optimizer.statistics import (
    Batch,
    Interval,
    Labels,
    Means,
    pass_hat_k,
    prediction_powered_means,
    rate_bounds,
    unknown,
    volunteered_bounds,
)
from spanloop.optimizer.statistics.prediction_powered import Target, Unit

Floats = NDArray[np.float64]

MIN_UNITS = 5
"""Fewer labelled units (or raters) than this are no evidence of a rate: the answer is "unknown"."""

MAX_K = 5
"""The highest k of pass^k that is reported."""


def rates(
    labels: Labels,
    batch: Batch,
    *,
    target: Target = "batch",
    unit: Unit = "run",
    level: float = 0.95,
) -> list[Interval]:
    """Return the satisfaction rate of each group with its interval.

    Args:
        labels: of a random sample, of all groups together.
        batch: sums over all runs of each group, K entries.
        target: ``batch``: of these runs; ``population``: of the traffic they came from, with
            clusters (users) as the independent units.
        unit: what was drawn at random to be labelled: runs, or clusters with all of their runs.
        level: of the intervals.

    Returns:
        K intervals; method ``prediction_powered``, ``labels`` (the score did not help, or there was
        none) or ``unknown`` (fewer than `MIN_UNITS` independent units are labelled).
    """
    means = prediction_powered_means(labels, batch, target=target, unit=unit)
    low, high = rate_bounds(means, level=level)
    return [_interval(means, (low, high), k, level) for k in range(batch.runs.size)]


class Raters(NamedTuple):
    """Sums over the runs with volunteered feedback of each group; every entry (K,).

    Attributes:
        runs: runs that were rated.
        satisfied: sum of their ratings, 0 to 1 each.
        clusters: users among them.
        runs_squared: sum over users of (rated runs)².
        runs_satisfied: sum over users of rated runs times sum of ratings.
        satisfied_squared: sum over users of (sum of ratings)².
    """

    runs: Floats
    satisfied: Floats
    clusters: Floats
    runs_squared: Floats
    runs_satisfied: Floats
    satisfied_squared: Floats


def raters_rates(raters: Raters, *, level: float = 0.95) -> list[Interval]:
    """Return the rate among those who chose to rate, clustered by user; it is nobody else's rate."""
    runs = np.maximum(raters.runs, 1.0)
    r = raters.satisfied / runs
    squares = raters.satisfied_squared - 2 * r * raters.runs_satisfied + r**2 * raters.runs_squared
    several = np.maximum(raters.clusters / np.maximum(raters.clusters - 1.0, 1.0), 1.0)
    df = np.maximum(runs**2 / np.maximum(raters.runs_squared, 1.0) - 1.0, 1.0)
    means = Means(
        point=np.where(raters.runs > 0, r, np.nan),
        variance=several * np.maximum(squares, 0.0) / runs**2,
        df=df,
        slope=np.zeros_like(r),
        labelled=raters.runs,
        units=df + 1.0,
        undrawn=np.ones_like(r),
    )
    low, high = rate_bounds(means, level=level)
    return [
        Interval(
            float(r[k]),
            float(low[k]),
            float(high[k]),
            level,
            "among_raters",
            int(raters.runs[k]),
            int(raters.clusters[k]),
        )
        if raters.runs[k] > 0
        else unknown(level=level)
        for k in range(r.size)
    ]


def bounded_by_raters(among: Interval, runs: float, *, target: Target = "batch") -> Interval:
    """Return what raters alone say of everybody: bounds for plausible response ratios, no point.

    Args:
        among: the rate among raters.
        runs: all runs of the group, rated or not.
        target: for the batch, what raters said of their own runs is known and bounds it too.
    """
    if among.point is None or among.n_clusters < MIN_UNITS:
        return unknown(level=among.level, n=among.n, n_clusters=among.n_clusters)
    satisfied = among.point * among.n
    seen = (satisfied, among.n - satisfied, runs) if target == "batch" else None
    return volunteered_bounds(among, seen=seen)


def pass_k(
    outcomes: Iterable[tuple[str, str, float]], *, most: int = MAX_K
) -> list[tuple[int, float]]:
    """Return pass^k for k = 1, 2 … of runs that repeat a scenario with one configuration.

    Args:
        outcomes: (scenario, configuration, satisfied) of each run; '' = no scenario.
        most: the highest k.

    Returns:
        (k, rate) while at least two scenarios have k runs; empty where nothing was repeated.
    """
    tried: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for scenario, configuration, satisfied in outcomes:
        if scenario:
            tried[scenario, configuration].append(satisfied > 0.5)
    repeated = [runs for runs in tried.values() if len(runs) > 1]
    result: list[tuple[int, float]] = []
    for k in range(1, most + 1):
        enough = [runs for runs in repeated if len(runs) >= k]
        if len(enough) < 2:
            break
        point = pass_hat_k([sum(runs) for runs in enough], [len(runs) for runs in enough], k).point
        if point is not None:
            result.append((k, point))
    return result


def _interval(means: Means, bounds: tuple[Floats, Floats], k: int, level: float) -> Interval:
    n, units = int(means.labelled[k]), int(means.units[k])
    point = float(means.point[k])
    if units < MIN_UNITS or np.isnan(point):
        return unknown(level=level, n=n, n_clusters=units)
    method = "prediction_powered" if means.slope[k] > 0 else "labels"
    low, high = float(bounds[0][k]), float(bounds[1][k])
    return Interval(min(max(point, low), high), low, high, level, method, n, units)
