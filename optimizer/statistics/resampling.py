"""The cluster bootstrap: intervals of any statistic by drawing whole clusters again."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spanloop.optimizer.statistics.intervals import Interval, check_level, unknown

Floats = NDArray[np.float64]


def cluster_weights(
    n_clusters: int, draws: int, *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return (draws, n_clusters): how often each cluster is drawn in each resample."""
    chosen = rng.integers(n_clusters, size=(draws, n_clusters))
    flat = (chosen + np.arange(draws)[:, None] * n_clusters).reshape(-1)
    counts = np.bincount(flat, minlength=draws * n_clusters)
    return counts.reshape(draws, n_clusters).astype(np.float64)


def bootstrap_indexes(
    clusters: ArrayLike, draws: int, *, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    """Return the rows of ``draws`` resamples of whole clusters.

    Args:
        clusters: (n,) labels.
        draws: resamples.
        rng: of the draws.
    """
    codes = np.unique(np.asarray(clusters), return_inverse=True)[1].reshape(-1)
    order = np.argsort(codes, kind="stable").astype(np.int64)
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes
    result: list[NDArray[np.int64]] = []
    for _ in range(draws):
        drawn = rng.integers(sizes.size, size=sizes.size)
        counts = sizes[drawn]
        within = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
        result.append(order[np.repeat(starts[drawn], counts) + within])
    return result


def cluster_bootstrap(
    statistic: Callable[[NDArray[np.int64]], float],
    clusters: ArrayLike,
    *,
    rng: np.random.Generator,
    draws: int = 1000,
    level: float = 0.95,
) -> Interval:
    """Return ``statistic`` with a percentile interval over resamples of whole clusters.

    Davison and Hinkley (1997), section 3.8. For any statistic of rows (an AUC, a paired difference
    of AUCs); for means `spanloop.optimizer.statistics.clustered_mean` is exact sooner.

    Args:
        statistic: takes row indexes, which repeat; may return NaN where it is not defined.
        clusters: (n,) labels.
        rng: of the draws.
        draws: resamples.
        level: of the interval.
    """
    check_level(level)
    labels = np.asarray(clusters)
    n_clusters = int(np.unique(labels).size)
    if labels.size == 0:
        return unknown(level=level)
    point = statistic(np.arange(labels.size))
    values = np.array([statistic(rows) for rows in bootstrap_indexes(labels, draws, rng=rng)])
    values = values[~np.isnan(values)]
    if n_clusters < 2 or np.isnan(point) or values.size < draws / 2:
        return unknown(level=level, n=labels.size, n_clusters=n_clusters)
    low, high = np.quantile(values, [0.5 - level / 2, 0.5 + level / 2])
    return Interval(
        float(point), float(low), float(high), level, "cluster_bootstrap", labels.size, n_clusters
    )
