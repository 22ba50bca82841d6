"""What effects are like: a law over a grid of effects, learned from trials (empirical Bayes)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

Z95 = 1.959964
UNMEASURED_SD = 0.7
"""Standard deviation of one paired difference of outcomes, where a trial tells n and no interval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """The effects that are told apart, and what is thought of them before any trial.

    Attributes:
        effects: ascending, evenly spaced, 0 among them; change in the probability of satisfaction.
        prior: (effects,), sums to 1.
    """

    effects: Floats
    prior: Floats

    @property
    def step(self) -> float:
        """Distance between neighbours."""
        return float(self.effects[1] - self.effects[0])


def _scale(low: float, high: float, step: float, *, null: float, spread: float) -> Scale:
    steps = np.arange(round(low / step), round(high / step) + 1, dtype=np.float64)
    effects: Floats = np.round(steps * step, 6)
    tails = np.where(effects == 0, 0.0, np.exp(-np.abs(effects) / spread))
    return Scale(
        effects=effects, prior=np.where(effects == 0, null, (1 - null) * tails / tails.sum())
    )


MAIN = _scale(-0.5, 0.6, 0.025, null=0.6, spread=0.12)
"""On scenarios of the pattern: most edits do nothing."""
SIDE = _scale(-0.24, 0.12, 0.02, null=0.75, spread=0.05)
"""On all other traffic."""


def likelihood(
    scale: Scale, told: tuple[float | None, float | None, float | None], n: int
) -> Floats:
    """Return how likely an estimate is under each effect, at most 1; all 1 where nothing was measured.

    Args:
        scale: the effects.
        told: estimate and its 95 % interval; without an interval its width comes from ``n``.
        n: scenarios it rests on.
    """
    estimate, low, high = told
    if estimate is None or not n:
        return np.ones_like(scale.effects)
    width = 2 * Z95 * UNMEASURED_SD / n**0.5 if low is None or high is None else high - low
    variance = (width / (2 * Z95)) ** 2 + scale.step**2 / 12
    inside = np.clip(estimate, scale.effects[0], scale.effects[-1])
    return np.asarray(np.exp(-((scale.effects - inside) ** 2) / (2 * variance)))


def fit_law(
    scale: Scale, likelihoods: Sequence[Floats], *, strength: float = 20.0, turns: int = 30
) -> Floats:
    """Return the law of effects that the trials speak for, held to the prior.

    Expectation-maximisation for a mixing distribution on a fixed grid, as in Stephens 2017, "False discovery
    rates: a new deal" (doi:10.1093/biostatistics/kxw041); the prior counts as ``strength`` further trials.

    Args:
        scale: the effects and the prior.
        likelihoods: of each trial, (effects,).
        strength: of the prior, in trials.
        turns: of expectation and maximisation.
    """
    law = scale.prior
    if not likelihoods:
        return law
    rows = np.stack(likelihoods)
    for _ in range(turns):
        seen = (rows / (rows @ law)[:, None]).sum(axis=0) * law
        law = (strength * scale.prior + seen) / (strength + len(rows))
    return law
