"""How much a judge disagrees with itself."""

import numpy as np
from numpy.typing import ArrayLike

from spanloop.optimizer.statistics.clustered import clustered_rate
from spanloop.optimizer.statistics.intervals import Interval


def retest_disagreement(
    first: ArrayLike,
    second: ArrayLike,
    *,
    clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> Interval:
    """Return the share of cases that a judge, asked twice, judges differently.

    An effect smaller than this share cannot be told from the judge's mood. Scores count as
    different when they fall on different sides of 0.5.

    Args:
        first: (n,) verdicts 0 to 1.
        second: (n,) verdicts on the same cases, asked afresh.
        clusters: (n,) labels of cases that belong together.
        level: of the interval.
    """
    once = np.asarray(first, dtype=np.float64)
    again = np.asarray(second, dtype=np.float64)
    if once.shape != again.shape:
        raise ValueError(f"{once.size} verdicts cannot be paired with {again.size}.")
    differs = ((once > 0.5) != (again > 0.5)).astype(np.float64)
    return clustered_rate(differs, clusters, level=level)
