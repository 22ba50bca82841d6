"""What live traffic says of a release, at any time it is asked. Pure: arrays in, numbers out.

**A canary against the current release.** Who gets which is drawn by the hash of an id, with a known share p.
So, whatever traffic does meanwhile, ``X = (A - p) / (p (1 - p)) (Y - m)`` has the effect as its mean, given
all that came before: A = 1 for the canary, Y the outcome, m the mean of earlier outcomes, which only makes X
calmer (Robins, Rotnitzky and Zhao, JASA 89 (1994) 846). It is bounded by ``max(m, 1 - m) / min(p, 1 - p)``,
so `statistics.betting` tests it: that the canary is no worse (refuted: roll it back), that it is worse by
more than a margin (refuted: promote it); and its bounds hold at every look. Shares may change on the way.

**The draw itself.** A - p has mean 0. Bets against that, either way, find a canary that loses conversations
or gets others than its share (sample-ratio mismatch): then nothing else here is to be trusted.

**A current release against the figures of the one before.** Nobody drew those by chance, so a change of
traffic looks like one of the release. Tested is only whether satisfaction fell by more than a tolerance below
the lower bound of what it was.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spanloop.optimizer.statistics.betting import (
    Increments,
    earlier,
    increments,
    log_wealth,
    mean_bounds,
)

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

MISMATCH_LEVEL = 0.001
"""A mismatch is a fault of the set-up, so it is said only when it is beyond doubt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """Trajectories in the order in which they began; every array (n,).

    Attributes:
        canary: whether it ran under the canary.
        share: with which it could have, above 0 and below 1.
        outcome: satisfaction, 0 to 1; NaN = not known.
    """

    canary: Flags
    share: Floats
    outcome: Floats

    @property
    def judged(self) -> Flags:
        """Whose outcome is known."""
        return ~np.isnan(self.outcome)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A release and what it is compared with; None where nothing is known yet.

    Attributes:
        effect: its mean satisfaction less the other's.
        n: its judged trajectories.
        n_other: the other's.
        e_worse: against "it is no worse"; the most that it ever was, as for the next one.
        e_not_worse: against "it is worse by more than the margin".
        e_mismatch: against the draw that was said; 1 where there was none.
    """

    effect: float | None
    low: float | None
    high: float | None
    n: int
    n_other: int
    e_worse: float
    e_not_worse: float
    e_mismatch: float


def compare(traffic: Traffic, *, margin: float, level: float, horizon: int) -> Comparison:
    """Compare a canary with the current release.

    Args:
        traffic: of both.
        margin: by which a canary may be worse and still be promoted, in satisfaction, > 0.
        level: that bets are best for.
        horizon: judged trajectories planned at most; it guides the bets and limits nothing.
    """
    judged = traffic.judged
    canary, share, outcome = traffic.canary[judged], traffic.share[judged], traffic.outcome[judged]
    n = int(canary.sum())
    if not 0 < n < canary.size:
        return _nothing(n, canary.size - n, mismatch(traffic, horizon=horizon))
    expected = (earlier(outcome) + 1.0) / (earlier(np.ones_like(outcome)) + 2.0)
    drawn = np.where(canary, 1.0 - share, -share) / (share * (1.0 - share))
    x = drawn * (outcome - expected)
    floor = np.maximum(expected, 1.0 - expected) / np.minimum(share, 1.0 - share)
    low, high = mean_bounds(increments(x, floor=floor), np.ones_like(x), horizon=horizon)
    return Comparison(
        effect=float(outcome[canary].mean() - outcome[~canary].mean()),
        low=low,
        high=high,
        n=n,
        n_other=canary.size - n,
        e_worse=_most(increments(-x, floor=floor), level=level, horizon=horizon),
        e_not_worse=_most(increments(x + margin, floor=floor), level=level, horizon=horizon),
        e_mismatch=mismatch(traffic, horizon=horizon),
    )


def mismatch(traffic: Traffic, *, horizon: int) -> float:
    """Return the evidence that conversations, or those with an outcome, were not drawn with their share."""
    return max(
        _against_draw(traffic.canary[use], traffic.share[use], horizon)
        for use in (np.ones(traffic.canary.size, bool), traffic.judged)
    )


def watch(
    outcome: Floats, before: Floats, *, tolerance: float, level: float, horizon: int
) -> Comparison:
    """Compare a current release with the figures of the one before it.

    Args:
        outcome: of its judged trajectories in the order in which they began, 0 to 1.
        before: of the other's.
        tolerance: by which satisfaction may fall without a roll-back, > 0.
        level: of the test; half of it is spent on the figures before.
        horizon: trajectories planned at most.
    """
    n, n_other = outcome.size, before.size
    if not n or not n_other:
        return _nothing(n, n_other, 1.0)
    was_low, was_high = _mean_bounds(before, level=1.0 - level)
    is_low, is_high = _mean_bounds(outcome, level=1.0 - level)
    limit = max(was_low - tolerance, 0.0)
    fallen = increments(limit - outcome, floor=max(1.0 - limit, 1e-9))
    # Half of the level is spent on the bounds before, so the other half is asked of this test.
    e_worse = _most(fallen, level=level / 2.0, horizon=horizon) / 2.0
    return Comparison(
        effect=float(outcome.mean() - before.mean()),
        low=is_low - was_high,
        high=is_high - was_low,
        n=n,
        n_other=n_other,
        e_worse=e_worse,
        e_not_worse=1.0,
        e_mismatch=1.0,
    )


def _nothing(n: int, n_other: int, e_mismatch: float) -> Comparison:
    return Comparison(
        effect=None,
        low=None,
        high=None,
        n=n,
        n_other=n_other,
        e_worse=1.0,
        e_not_worse=1.0,
        e_mismatch=e_mismatch,
    )


def _mean_bounds(values: Floats, *, level: float) -> tuple[float, float]:
    """Bound the mean of values in [0, 1] at every look, betting on their distance from the middle."""
    ones = np.ones_like(values)
    low, high = mean_bounds(
        increments(values - 0.5, floor=0.5), ones, level=level, horizon=max(values.size, 1)
    )
    return low + 0.5, high + 0.5


def _against_draw(canary: Flags, share: Floats, horizon: int) -> float:
    """Return the evidence of bets on either side of the share, half of the wealth on each."""
    off = np.where(canary, 1.0 - share, -share)
    more, fewer = (
        log_wealth(side, level=MISMATCH_LEVEL, horizon=horizon)
        for side in (increments(off, floor=share), increments(-off, floor=1.0 - share))
    )
    return _greatest(np.logaddexp(more, fewer) - np.log(2.0))


def _most(of: Increments, *, level: float, horizon: int) -> float:
    return _greatest(log_wealth(of, level=level, horizon=horizon))


def _greatest(log_wealth_: Floats) -> float:
    """Return the greatest wealth so far, at least the 1 that one starts with."""
    return float(np.exp(min(log_wealth_.max(initial=0.0), 700.0)))
