"""Evidence that may be looked at any time: e-processes by bets on bounded increments.

To test "the mean of G is 0 or less", start with a wealth of 1 and, before each increment G_i >=
-floor, stake a share lambda_i of it, chosen from earlier increments only: ``W_i = W_{i-1} (1 +
lambda_i G_i)``. While the mean is 0 or less no stake can make the expected wealth grow, so ``P(W
ever >= 1/a) <= a`` (Ville): the test may be looked at after every increment, and stopped at any
(Waudby-Smith and Ramdas, JRSS B 86 (2024) 1). This needs nothing of the stakes but that they look
backwards; they decide how soon a true effect is seen.

The stakes: a known horizon of N increments, a level a and a spread s make ``lambda = sqrt(2 ln(1/a)
/ N) / s`` the stake that is best for the smallest effect seen by the horizon (wealth grows by ``N
lambda² s² / 2 = ln(1/a)``). The wealth is split once over multiples of it, `MULTIPLES`: the least
finds small effects by the horizon, the greatest finds large ones in few increments; the split costs
``ln(1/share)`` of log wealth. s is the running standard deviation of earlier increments. N and a
must be fixed beforehand; past the horizon the test stays valid.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spanloop.optimizer.statistics.intervals import check_level

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MULTIPLES: tuple[tuple[float, float], ...] = ((1.2, 0.50), (2.4, 0.35), (5.0, 0.15))
"""Stake as a multiple of the one for the horizon, share of the wealth."""

MAX_STAKE = 0.9
"""Of the wealth that one increment can lose; below 1, so that no increment ends the game."""

PRIOR_VARIANCE, PRIOR_COUNT = 0.25, 4.0
"""What the spread starts from: so many increments of this variance (the largest there is in 0 to 1)."""

_STEPS = 14
"""Halvings of [-1, 1] that find an end of an interval: to 0.0001."""


class Increments(NamedTuple):
    """What is bet on, in order; the last axis is time, axes before it are separate tests.

    Attributes:
        gain: at least ``-floor``, mean 0 or less under the null.
        used: False: no bet, not counted.
        floor: the largest possible loss, > 0.
    """

    gain: Floats
    used: Flags
    floor: Floats


def increments(gain: ArrayLike, *, used: Flags | None = None, floor: ArrayLike = 1.0) -> Increments:
    """Return checked increments.

    Args:
        gain: (..., n) at least ``-floor`` where used.
        used: (..., n) which to bet on; None for all.
        floor: the largest possible loss; broadcast against ``gain``.

    Raises:
        ValueError: if a gain that is used is NaN or below ``-floor``.
    """
    values = np.asarray(gain, dtype=np.float64)
    mask = np.ones(values.shape, bool) if used is None else np.broadcast_to(used, values.shape)
    bound = np.broadcast_to(np.asarray(floor, dtype=np.float64), values.shape)
    if not np.all((values >= -bound - 1e-9) | ~mask):
        raise ValueError("An increment lies below the largest possible loss, or is NaN.")
    return Increments(np.where(mask, values, 0.0), mask, bound)


def log_wealth(
    of: Increments, *, level: ArrayLike, horizon: ArrayLike, spread: Floats | None = None
) -> Floats:
    """Return the natural logarithm of the wealth after each increment, (..., n).

    Args:
        of: what is bet on.
        level: the bets are best for; broadcast against the axes before the last. Any level may be
            read off.
        horizon: increments that are planned at most, > 0; broadcast likewise.
        spread: (..., n) standard deviation known before each increment; None for that of earlier
            gains.
    """
    if spread is None:
        spread = running_spread(of.gain, of.used)
    log_inverse = -np.log(np.asarray(level, dtype=np.float64))
    planned = np.maximum(np.asarray(horizon, dtype=np.float64), 1.0)
    stake = np.sqrt(2.0 * log_inverse / planned)[..., np.newaxis] / spread
    most = MAX_STAKE / of.floor
    total = np.full(of.gain.shape, -np.inf)
    for multiple, share in MULTIPLES:
        growth = np.log1p(np.minimum(multiple * stake, most) * of.gain)
        np.logaddexp(total, np.log(share) + np.cumsum(growth, axis=-1), out=total)
    return total


def running_spread(values: Floats, used: Flags) -> Floats:
    """Return the standard deviation of the ``used`` values *before* each position, never 0.

    Args:
        values: (..., n), 0 where not used.
        used: (..., n).
    """
    count = earlier(used.astype(np.float64))
    total, squares = earlier(values), earlier(values * values)
    around = np.maximum(squares - total * total / np.maximum(count, 1.0), 0.0)
    return np.sqrt((PRIOR_COUNT * PRIOR_VARIANCE + around) / (PRIOR_COUNT + count))


def earlier(values: Floats) -> Floats:
    """Return the sum of what lies before each position along the last axis."""
    sums = np.cumsum(values, axis=-1)
    before = np.zeros_like(sums)
    before[..., 1:] = sums[..., :-1]
    return before


def first_reached(log_process: Floats, level: ArrayLike) -> NDArray[np.int64]:
    """Return the position at which the wealth first reaches 1/level; n where it never does.

    Args:
        log_process: (..., n) from `log_wealth`.
        level: broadcast against the axes before the last.
    """
    reached = log_process >= -np.log(np.asarray(level, dtype=np.float64))[..., np.newaxis]
    return np.where(reached.any(axis=-1), reached.argmax(axis=-1), log_process.shape[-1])


def mean_bounds(
    of: Increments, weight: Floats, *, level: float = 0.95, horizon: float
) -> tuple[float, float]:
    """Return bounds that hold the weighted mean at every stop, with probability ``level``.

    The means m for which no test of "gain - m weight" on either side has reached 2 / (1 - level) so
    far: a betting confidence sequence. The stakes do not depend on m except through the cap that
    keeps wealth positive, so the wealth falls in m and halving finds the end.

    Args:
        of: (n,) increments of one series, each ``weight`` times an observation in [-1, 1], plus
            what averages to 0.
        weight: (n,) 0 to 1, of each.
        level: of the pair of bounds.
        horizon: increments planned at most.
    """
    check_level(level)
    mean = earlier(of.gain) / np.maximum(earlier(np.where(of.used, weight, 0.0)), 1e-12)
    residual = np.where(of.used, of.gain - np.clip(mean, -1.0, 1.0) * weight, 0.0)
    spread = running_spread(residual, of.used)
    need = np.log(2.0 / (1.0 - level))
    slack = of.floor - 1.0

    def refuted(sign: float, m: float) -> bool:
        """Whether a mean of at most (sign 1) or at least (sign -1) m is refuted."""
        gain = np.where(of.used, sign * (of.gain - m * weight), 0.0)
        shifted = Increments(gain, of.used, np.maximum(1.0 + sign * m + slack, 1e-6))
        wealth = log_wealth(
            shifted, level=(1.0 - level) / 2.0, horizon=np.asarray(horizon), spread=spread
        )
        return bool(wealth.size and wealth.max() >= need)

    low, high = (_end(partial(refuted, sign), sign) for sign in (1.0, -1.0))
    return min(low, high), max(low, high)


def _end(refuted: Callable[[float], bool], sign: float) -> float:
    """Halve towards the last mean that is refuted, coming from -1 (sign 1) or from 1 (sign -1)."""
    out, inside = -sign, sign
    for _ in range(_STEPS):
        middle = (out + inside) / 2.0
        if refuted(middle):
            out = middle
        else:
            inside = middle
    return out
