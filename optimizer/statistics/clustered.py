"""Rates of rows that depend on their cluster."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spanloop.optimizer.statistics.intervals import Interval, unknown
from spanloop.optimizer.statistics.prediction_powered import (
    Batch,
    Labels,
    Means,
    prediction_powered_means,
    rate_bounds,
)


def clustered_rate(
    outcomes: ArrayLike, clusters: ArrayLike | None = None, *, level: float = 0.95
) -> Interval:
    """Return a rate of rows in independent clusters, with a score interval inside 0 to 1.

    Delete-one-cluster jackknife and Satterthwaite's degrees of freedom, see
    `spanloop.optimizer.statistics.prediction_powered`. One cluster alone is "unknown".

    Args:
        outcomes: (n,) 0 to 1.
        clusters: (n,) labels; None = every row its own.
        level: of the interval.

    Raises:
        ValueError: if an outcome is outside 0 to 1.
    """
    y = np.asarray(outcomes, dtype=np.float64)
    if y.size and not (y.min() >= 0 and y.max() <= 1):
        raise ValueError("Outcomes of a rate lie between 0 and 1.")
    means, n_clusters = _means(y, clusters)
    size = (y.size, n_clusters)
    return _interval(means, rate_bounds(means, level=level), size, level, "clustered_rate")


def _means(y: NDArray[np.float64], clusters: ArrayLike | None) -> tuple[Means, int]:
    labels = np.arange(y.size) if clusters is None else np.asarray(clusters)
    if labels.shape != y.shape or y.ndim != 1:
        raise ValueError(f"Values {y.shape} and clusters {labels.shape} do not belong together.")
    codes = np.unique(labels, return_inverse=True)[1].reshape(-1).astype(np.int64)
    zeros, ones = np.zeros(y.size), np.ones(y.size)
    n_clusters = int(codes.max()) + 1 if codes.size else 0
    nothing = np.zeros(1)
    means = prediction_powered_means(
        Labels(
            outcome=y,
            score=zeros,
            group=np.zeros(y.size, dtype=np.int64),
            cluster=codes,
            weight=ones,
            cluster_runs=ones,
            cluster_score=zeros,
        ),
        Batch(
            runs=np.array([float(y.size)]),
            score=nothing,
            clusters=np.array([float(n_clusters)]),
            runs_squared=nothing,
            runs_score=nothing,
            score_squared=nothing,
        ),
        target="population",
        unit="cluster",
        assisted=False,
    )
    return means, n_clusters


def _interval(
    means: Means,
    bounds: tuple[NDArray[np.float64], NDArray[np.float64]],
    size: tuple[int, int],
    level: float,
    method: str,
) -> Interval:
    if np.isnan(means.point[0]):
        return unknown(level=level, n=size[0], n_clusters=size[1])
    low, high = float(bounds[0][0]), float(bounds[1][0])
    return Interval(float(means.point[0]), low, high, level, method, *size)
