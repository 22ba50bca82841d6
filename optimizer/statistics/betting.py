"""Evidence that may be looked at any time: e-processes by bets on bounded increments.

To test "the mean of G is 0 or less", start with a wealth of 1 and, before each increment G_i >=
-floor, stake a share lambda_i of it, chosen from earlier increments only: ``W_i = W_{i-1} (1 +
lambda_i G_i)``. While the mean is 0 or less no stake can make the expected wealth grow, so ``P(W
ever >= 1/a) <= a`` (Ville): the test may be looked at after every increment, and stopped at any
(Waudby-Smith and Ramdas, JRSS B 86 (2024) 1). This needs nothing of the stakes but that they look
backwards; they decide how soon a true effect is seen.

The stakes: a known horizon of N increments, a level a and a spread s make ``lambda = sqrt(2 ln(1/a)
/ N) / s`` the stake that is best for the smallest effect seen by the horizon (wealth grows by ``N
lambda² s² / 2 = ln(1/a)``). The wealth is split once over multiples of it, `STAKES`: the least
finds small effects by the horizon, the greatest finds large ones in few increments; the split costs
``ln(1/share)`` of log wealth. s is the running standard deviation of earlier increments. N and a
must be fixed beforehand; past the horizon the test stays valid.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spanloop.optimizer.statistics.intervals import check_level

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


class Stake(NamedTuple):
    """A part of the wealth and how it is bet.

    Attributes:
        share: of the wealth at the start.
        multiple: of the stake that is best for the horizon.
        most: that one increment can lose of this part; below 1, so that no increment ends the game.
    """

    share: float
    multiple: float
    most: float


STAKES = (Stake(0.50, 1.2, 0.60), Stake(0.35, 2.4, 0.75), Stake(0.15, 5.0, 0.90))
"""Three, so that something fits small and large effects, short and long horizons. Chosen for power; no
choice touches validity."""

PRIOR_VARIANCE, PRIOR_COUNT = 0.25, 4.0
"""What the spread starts from: so many increments of this variance, times their size squared."""

_TINY = 1e-12

_STEPS = 14
"""Halvings of [-1, 1] that find an end of an interval: to 0.0001."""


class Increments(NamedTuple):
    """What is bet on, in order; the last axis is time, axes before it are separate tests.

    Attributes:
        gain: at least ``-floor``, mean 0 or less under the null.
        used: False: no bet, not counted.
        floor: the largest possible loss, > 0.
        size: how large it may be expected to be against the largest possible, 0 to 1: its weight.
    """

    gain: Floats
    used: Flags
    floor: Floats
    size: Floats


def increments(
    gain: ArrayLike,
    *,
    used: Flags | None = None,
    floor: ArrayLike = 1.0,
    size: ArrayLike = 1.0,
) -> Increments:
    """Return checked increments.

    Args:
        gain: (..., n) at least ``-floor`` where used.
        used: (..., n) which to bet on; None for all.
        floor: the largest possible loss; broadcast against ``gain``.
        size: 0 to 1, known before the gain; only starts the guess of the spread.

    Raises:
        ValueError: if a gain that is used is NaN or below ``-floor``.
    """
    values = np.asarray(gain, dtype=np.float64)
    mask = np.ones(values.shape, bool) if used is None else np.broadcast_to(used, values.shape)
    bound, sizes = (
        np.broadcast_to(np.asarray(each, dtype=np.float64), values.shape) for each in (floor, size)
    )
    if not np.all((values >= -bound - 1e-9) | ~mask):
        raise ValueError("An increment lies below the largest possible loss, or is NaN.")
    return Increments(np.where(mask, values, 0.0), mask, bound, sizes)


def log_wealth(
    of: Increments, *, level: ArrayLike, horizon: ArrayLike, spread: Floats | None = None
) -> Floats:
    """Return the natural logarithm of the wealth after each increment, (..., n).

    What falls below the smallest number or rises above the greatest stays there: -inf, inf.

    Args:
        of: what is bet on.
        level: the bets are best for; broadcast against the axes before the last. Any level may be
            read off.
        horizon: increments that are planned at most, > 0; broadcast likewise.
        spread: (..., n) standard deviation known before each increment; None for that of earlier
            gains.
    """
    if spread is None:
        spread = running_spread(of.gain, of.used, of.size)
    log_inverse = -np.log(np.asarray(level, dtype=np.float64))
    planned = np.maximum(np.asarray(horizon, dtype=np.float64), 1.0)
    stake = np.sqrt(2.0 * log_inverse / planned)[..., np.newaxis] / spread
    wealth = np.zeros(of.gain.shape)
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        for share, multiple, most in STAKES:
            factor = 1.0 + np.minimum(multiple * stake, most / of.floor) * of.gain
            wealth += share * np.multiply.accumulate(factor, axis=-1)
        return np.log(wealth)


def running_spread(values: Floats, used: Flags, size: Floats) -> Floats:
    """Return the standard deviation that is expected at each position, from the ``used`` values before.

    Args:
        values: (..., n), 0 where not used.
        used: (..., n).
        size: (..., n) expected size of each value, known before it.
    """
    if used.all():
        count: Floats = np.broadcast_to(np.arange(values.shape[-1], dtype=np.float64), values.shape)
    else:
        count = earlier(used.astype(np.float64))
    total, squares = earlier(values), earlier(values * values)
    around = np.maximum(squares - total * total / np.maximum(count, 1.0), 0.0)
    prior = PRIOR_COUNT * PRIOR_VARIANCE * _mean_square(size, used)
    return np.sqrt((prior + around) / (PRIOR_COUNT + count))


def earlier(values: Floats) -> Floats:
    """Return the sum of what lies before each position along the last axis."""
    before = np.zeros(values.shape)
    np.cumsum(values[..., :-1], axis=-1, out=before[..., 1:])
    return before


def _mean_square(size: Floats, used: Flags) -> Floats:
    """Return the mean square of the used sizes up to and including each position, never 0."""
    if size.size == 0 or (size == size.flat[0]).all():
        return np.asarray(max(float(size.flat[0]) ** 2, _TINY) if size.size else 1.0)
    here = used.astype(np.float64)
    mean = np.cumsum(here * size * size, axis=-1) / np.maximum(np.cumsum(here, axis=-1), 1.0)
    return np.maximum(mean, _TINY)


def first_reached(log_process: Floats, level: ArrayLike) -> NDArray[np.int64]:
    """Return the position at which the wealth first reaches 1/level; n where it never does.

    Args:
        log_process: (..., n) from `log_wealth`.
        level: broadcast against the axes before the last.
    """
    reached = log_process >= -np.log(np.asarray(level, dtype=np.float64))[..., np.newaxis]
    at = np.asarray(reached.argmax(axis=-1), dtype=np.int64)
    return np.asarray(np.where(reached.any(axis=-1), at, log_process.shape[-1]), dtype=np.int64)


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
        weight: (n,) 0 to 1, of each; 0 where not used.
        level: of the pair of bounds.
        horizon: increments planned at most.
    """
    check_level(level)
    mean = earlier(of.gain) / np.maximum(earlier(weight), 1e-12)
    residual = np.where(of.used, of.gain - np.clip(mean, -1.0, 1.0) * weight, 0.0)
    spread = running_spread(residual, of.used, of.size)
    alpha, sign = (1.0 - level) / 2.0, np.array([1.0, -1.0])
    refuted_at, held = -sign, sign.copy()
    for _ in range(_STEPS):
        m = (refuted_at + held) / 2.0
        side = sign[:, np.newaxis]
        gain = side * (of.gain - m[:, np.newaxis] * weight)
        floor = np.maximum(of.floor + side * m[:, np.newaxis], 1e-9)
        tests = Increments(np.where(of.used, gain, 0.0), of.used, floor, of.size)
        wealth = log_wealth(tests, level=alpha, horizon=horizon, spread=spread)
        refuted = wealth.max(axis=-1, initial=-np.inf) >= -np.log(alpha)
        refuted_at, held = np.where(refuted, m, refuted_at), np.where(refuted, held, m)
    return float(refuted_at.min()), float(refuted_at.max())
