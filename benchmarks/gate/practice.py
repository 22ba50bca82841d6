"""What is done today with paired outcomes, on the same experiments: four rules beside ours.

Missing outcomes are dropped, judged ones believed, repeats pooled as pairs, as those rules do.
"""

import math

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ALPHA, POWER = 0.05, 0.95
_FLIPS = 999


def scenario_means(pairs: Floats) -> Floats:
    """Return (runs, scenarios) mean difference over the pairs that are known; 0 where none is."""
    known = ~np.isnan(pairs)
    return np.asarray(np.where(known, pairs, 0.0).sum(axis=-1) / np.maximum(known.sum(axis=-1), 1))


def mean_went_up(pairs: Floats, after: int = 50) -> Flags:
    """(a) Ship if the mean is above 0 after 50 pairs."""
    flat = pairs.reshape(pairs.shape[0], -1)[:, :after]
    return np.asarray(np.nansum(flat, axis=1) > 0)


def peeked_mcnemar(pairs: Floats, every: int = 10) -> Flags:
    """(b) Ship at the first look, one ``every`` so many pairs, at which exact McNemar gives p <= .05."""
    flat = pairs.reshape(pairs.shape[0], -1)
    up = np.cumsum(flat > 0, axis=1)[:, every - 1 :: every]
    down = np.cumsum(flat < 0, axis=1)[:, every - 1 :: every]
    p_values = np.asarray(binom.sf(up - 1, up + down, 0.5))
    return np.asarray((p_values <= ALPHA).any(axis=1))


def sign_flip(means: Floats, n: int, *, seed: int = 1) -> Flags:
    """(c) Ship if the one-sided sign-flip test on the means of the first n scenarios gives p <= .05."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], size=(n, _FLIPS))
    used = means[:, :n]
    flipped = used @ signs
    reached = (flipped >= used.sum(axis=1, keepdims=True) - 1e-9).sum(axis=1)
    return np.asarray((1 + reached) / (_FLIPS + 1) <= ALPHA)


def fixed_n(means: Floats) -> tuple[int, str]:
    """Return the fewest scenarios that give (c) a power of .95, and how it was found.

    Args:
        means: of many runs; where they are too short, ``(2 z)² variance / mean²``.
    """
    longest = means.shape[1]
    if sign_flip(means, longest).mean() < POWER:
        n = math.ceil(10.82 * means.var() / means.mean() ** 2)
        return n, "normal approximation: more scenarios than the cell has"
    low, high = 1, longest
    while high - low > 1:
        middle = (low + high) // 2
        if sign_flip(means, middle).mean() >= POWER:
            high = middle
        else:
            low = middle
    return high, "halving on simulated runs"


def wald(means: Floats, effect: float, variance: float) -> tuple[Flags, NDArray[np.int64]]:
    """(d) Wald's test of 0 against ``effect`` with known variance, alpha = beta = .05.

    Returns:
        Shipped; scenarios at its end, all of them where it did not ship.
    """
    n = np.arange(1, means.shape[1] + 1)
    ratio = effect / variance * (np.cumsum(means, axis=1) - n * effect / 2)
    top, bottom = math.log(POWER / ALPHA), math.log((1 - POWER) / (1 - ALPHA))
    ended = (ratio >= top) | (ratio <= bottom)
    at = np.where(ended.any(axis=1), ended.argmax(axis=1), n.size - 1)
    shipped = np.take_along_axis(ratio, at[:, np.newaxis], axis=1)[:, 0] >= top
    return shipped, np.where(shipped, at + 1, n.size)
