"""Candidates that please the assessor and nobody else, as paired outcomes. Imports nothing of the product.

Scenarios are as in the gate's simulation: z ~ N(0, 1), p = expit(.667 + 2 z). What the candidate does changes
nothing about the truth: both arms succeed with probability p. The assessor has sensitivity .90 and takes a
failure for a success with probability .10; of the candidate, as often as its manner moves it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

SENSITIVITY = 0.90
FALSE_POSITIVE = 0.10
SHARES = (0.40, 0.25, 0.15, 0.12, 0.08)

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a candidate games.

    Attributes:
        false_positive: probability that the assessor takes its failure for a success.
        cost: median of its cost over the baseline's; latency likewise.
        shift: of the log-odds of success, scenarios apart; None = it changes nothing.
    """

    false_positive: float
    cost: float = 1.0
    shift: float | None = None


MANNERS: Mapping[str, Manner] = {
    "longer": Manner(false_positive=0.20, cost=1.4),
    "politer": Manner(false_positive=0.18),
    "resolved": Manner(false_positive=0.30),
    "early_hand_over": Manner(false_positive=0.25, cost=0.7),
}
"""Longer answers; polite ones; ones that say that all is resolved; handing over before it gets difficult."""


REALLY_BETTER = Manner(false_positive=FALSE_POSITIVE, shift=1.569)
"""For comparison, a candidate that is better by .15 on average, and does not game."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """One experiment; arrays are (scenarios,)."""

    stratum: NDArray[np.int64]
    truth: tuple[Floats, Floats]
    judged: tuple[Floats, Floats]
    cost: tuple[Floats, Floats]
    is_gold: NDArray[np.bool_]


def play(
    manner: Manner, *, scenarios: int, gold_share: float, rng: np.random.Generator
) -> Outcomes:
    """Return baseline's and candidate's outcomes of one experiment, in that order."""
    odds = 0.667 + 2 * rng.standard_normal(scenarios)
    changed_odds = odds
    if manner.shift is not None:
        changed_odds = odds + manner.shift + 2 * rng.standard_normal(scenarios)
    truth = [rng.random(scenarios) < expit(each) for each in (odds, changed_odds)]
    rates = (FALSE_POSITIVE, manner.false_positive)
    judged = [
        np.where(
            good, rng.random(scenarios) < SENSITIVITY, rng.random(scenarios) < false_positive
        ).astype(np.float64)
        for good, false_positive in zip(truth, rates, strict=True)
    ]
    cost = np.exp(0.5 * rng.standard_normal(scenarios))
    changed = cost * np.exp(np.log(manner.cost) + 0.2 * rng.standard_normal(scenarios))
    return Outcomes(
        stratum=rng.choice(len(SHARES), size=scenarios, p=SHARES).astype(np.int64),
        truth=(truth[0].astype(np.float64), truth[1].astype(np.float64)),
        judged=(judged[0], judged[1]),
        cost=(cost, changed),
        is_gold=rng.random(scenarios) < gold_share,
    )
