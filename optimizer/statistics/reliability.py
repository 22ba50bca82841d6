"""How often the same task succeeds every time: pass^k."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import gammaln

from spanloop.optimizer.statistics.clustered import clustered_rate
from spanloop.optimizer.statistics.intervals import Interval


def pass_hat_k(successes: ArrayLike, trials: ArrayLike, k: int, *, level: float = 0.95) -> Interval:
    """Return the probability that k fresh runs of one scenario all succeed.

    Mean over scenarios of ``C(c, k) / C(n, k)``, unbiased for each (Yao et al. 2024, tau-bench,
    arXiv 2406.12045). Scenarios are the clusters of the interval. Only repeats of one scenario by
    one configuration count; scenarios with fewer than k runs say nothing and are left out.

    Args:
        successes: (tasks,) c, runs that succeeded.
        trials: (tasks,) n, runs made.
        k: runs that must all succeed, >= 1.
        level: of the interval.

    Raises:
        ValueError: if k < 1 or some c is outside 0 to n.
    """
    c = np.asarray(successes, dtype=np.float64)
    n = np.asarray(trials, dtype=np.float64)
    if k < 1 or c.shape != n.shape or bool(np.any((c < 0) | (c > n))):
        raise ValueError("pass^k needs k >= 1 and 0 <= successes <= trials for each task.")
    enough = n >= k
    c, n = c[enough], n[enough]
    possible = c >= k
    log_share = np.zeros(c.size)
    log_share[possible] = (
        gammaln(c[possible] + 1)
        - gammaln(c[possible] - k + 1)
        - gammaln(n[possible] + 1)
        + gammaln(n[possible] - k + 1)
    )
    share = np.where(possible, np.exp(log_share), 0.0)
    return clustered_rate(np.clip(share, 0.0, 1.0), level=level)._replace(method=f"pass^{k}")
