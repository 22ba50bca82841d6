"""Rates that an imperfect judge measured, and how much the judge disagrees with itself."""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import norm

from spanloop.optimizer.statistics.clustered import clustered_rate
from spanloop.optimizer.statistics.intervals import Interval, check_level, unknown


class Calibration(NamedTuple):
    """What a judge said of cases whose truth is known, drawn at random.

    Attributes:
        satisfied: cases that were satisfied.
        found: of them judged satisfied.
        dissatisfied: cases that were not.
        rejected: of them judged not satisfied.
    """

    satisfied: int
    found: int
    dissatisfied: int
    rejected: int


def misclassification_corrected_rate(
    judged_satisfied: int, judged: int, calibration: Calibration, *, level: float = 0.95
) -> Interval:
    """Return the true rate behind a judge's verdicts, with the calibration's own error.

    ``theta = (p + q0 - 1) / (q0 + q1 - 1)`` with sensitivity q1 and specificity q0 (Rogan and
    Gladen, Am. J. Epidemiology 107 (1978) 71); interval by the delta method with the calibration's
    error, ``(V(p) + (1-theta)² V(q0) + theta² V(q1)) / (q0 + q1 - 1)²``, after ``z²/2`` is added to
    the successes and failures of p and one to those of q (Lee et al., arXiv 2511.21140).

    The answer is unknown where the calibration does not show that the judge is better than chance:
    lower end of the interval of ``q0 + q1 - 1`` not above 0.

    Args:
        judged_satisfied: verdicts "satisfied" on the cases to be measured.
        judged: verdicts in all.
        calibration: other cases; independent of these.
        level: of the interval.
    """
    check_level(level)
    n = judged + calibration.satisfied + calibration.dissatisfied
    if judged <= 0 or calibration.satisfied <= 0 or calibration.dissatisfied <= 0:
        return unknown(level=level, n=n, n_clusters=n)
    z = float(norm.ppf(0.5 + level / 2))
    p, vp = _smoothed(judged_satisfied, judged, z * z / 2)
    q1, v1 = _smoothed(calibration.found, calibration.satisfied, 1.0)
    q0, v0 = _smoothed(calibration.rejected, calibration.dissatisfied, 1.0)
    youden = q0 + q1 - 1.0
    if youden - z * math.sqrt(v0 + v1) <= 0:
        return unknown(level=level, n=n, n_clusters=n)
    theta = (p + q0 - 1.0) / youden
    inside = min(max(theta, 0.0), 1.0)
    half = z * math.sqrt(vp + (1 - inside) ** 2 * v0 + inside**2 * v1) / youden
    low, high = max(theta - half, 0.0), min(theta + half, 1.0)
    method = "misclassification_corrected"
    return Interval(inside, min(low, inside), max(high, inside), level, method, n, n)


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


def _smoothed(successes: float, n: int, added: float) -> tuple[float, float]:
    """Return a proportion and its variance with ``added`` successes and failures more."""
    total = n + 2 * added
    p = (successes + added) / total
    return p, p * (1 - p) / total
