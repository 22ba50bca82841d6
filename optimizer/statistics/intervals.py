"""The form of every estimate, and score intervals of proportions."""

import math
from typing import NamedTuple

from scipy.stats import norm


class Interval(NamedTuple):
    """An estimate with its interval; every number None where the data cannot tell.

    Attributes:
        point: estimate.
        low: lower end.
        high: upper end.
        level: share of repetitions in which such an interval holds the truth, 0 to 1.
        method: how it was made.
        n: observations it rests on.
        n_clusters: independent units among them.
    """

    point: float | None
    low: float | None
    high: float | None
    level: float
    method: str
    n: int
    n_clusters: int

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return self.low is not None and self.high is not None

    @property
    def width(self) -> float | None:
        """``high - low``."""
        if self.low is None or self.high is None:
            return None
        return self.high - self.low


def unknown(*, level: float = 0.95, n: int = 0, n_clusters: int = 0) -> Interval:
    """Return the answer where evidence is absent."""
    return Interval(None, None, None, level, "unknown", n, n_clusters)


def check_level(level: float) -> None:
    """Raise ValueError unless 0 < ``level`` < 1."""
    if not 0.0 < level < 1.0:
        raise ValueError(f"A confidence level lies between 0 and 1, not {level!r}.")


def score_bounds(rate: float, n_effective: float, quantile: float) -> tuple[float, float]:
    """Return the score (Wilson) interval of a proportion from any sample design.

    ``(p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n)``, Wilson, JASA 22 (1927) 209; with the
    effective sample size of a complex design, Korn and Graubard, Survey Methodology 24 (1998) 193;
    compared in Franco et al., J. Survey Stat. Methodol. 7 (2019) 334.

    Args:
        rate: observed proportion; put into 0 to 1 first.
        n_effective: simple random observations that would be as precise, > 0.
        quantile: of the normal or of Student's t, > 0.
    """
    p = min(max(rate, 0.0), 1.0)
    z2 = quantile * quantile / n_effective
    centre = (p + z2 / 2) / (1 + z2)
    half = math.sqrt(z2 * (p * (1 - p) + z2 / 4)) / (1 + z2)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def wilson(successes: float, n: int, *, level: float = 0.95) -> Interval:
    """Return a proportion of independent observations with Wilson's score interval.

    Args:
        successes: 0 to ``n``.
        n: observations; 0 gives "unknown".
        level: of the interval.

    Raises:
        ValueError: if ``successes`` is outside 0 to ``n``.
    """
    check_level(level)
    if n <= 0:
        return unknown(level=level)
    if not 0 <= successes <= n:
        raise ValueError(f"{successes!r} successes of {n} observations are impossible.")
    low, high = score_bounds(successes / n, n, float(norm.ppf(0.5 + level / 2)))
    return Interval(successes / n, low, high, level, "wilson", n, n)
