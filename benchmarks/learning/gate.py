"""Experiments of the world, decided by the product's gate."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.learning.generator import CAP_PAIRS, Floats, Pairs
from spanloop.optimizer.gate.decision import OUTCOMES, run_batch
from spanloop.optimizer.gate.evidence import ArmRuns, Evidence
from spanloop.optimizer.gate.settings import GateSettings
from spanloop.optimizer.statistics.online import e_lond_level
from spanloop.optimizer.strategies import Measures, measure

FALSE_SHARE = 0.10
"""Bound on the false share of ships of one agent, over all its experiments (e-LOND)."""

SETTINGS = GateSettings(cap=CAP_PAIRS, gold_share=1.0, max_cost_ratio=None, max_latency_ratio=None)
"""The gate's defaults, but for the cap, costs (the world has none) and gold: every outcome is the truth.

The test set is what the experiment draws: half scenarios of the pattern, half other traffic, weighing alike.
The claim is about their mean, and each half is a major stratum that must be shown not worse by 10 points.
Weighed by traffic (a weakness has 5 to 25 % of it) no fix of one weakness could ever be shown in 300 pairs.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How one experiment ended.

    Attributes:
        pairs: played.
        effect: on the pattern; estimate, low, high.
        side: on other traffic, likewise.
    """

    decision: str
    pairs: int
    effect: tuple[float | None, float | None, float | None]
    side: tuple[float | None, float | None, float | None]


def next_level(tests: int, claims: int) -> float:
    """Return the level of an agent's next experiment after ``tests`` with ``claims`` ships among them."""
    return e_lond_level(tests + 1, claims, alpha=FALSE_SHARE)


def decide_all(pairs: Sequence[Pairs], levels: Sequence[float]) -> list[Outcome]:
    """Return how experiments end, each looked at every ten pairs."""
    if not pairs:
        return []
    on_pattern = pairs[0].on_pattern
    evidence = _evidence(pairs)
    ended = run_batch(evidence, SETTINGS, np.array(levels))
    measured = measure(evidence, on_pattern, ended.closed)
    return [_outcome(i, ended.code, ended.closed, measured) for i in range(len(pairs))]


def _outcome(i: int, code: NDArray[np.int64], closed: NDArray[np.int64], of: Measures) -> Outcome:
    one = Measures(of.effect[i], of.effect_error[i], of.side_effect[i], of.side_error[i])
    return Outcome(
        decision=OUTCOMES[code[i]][0],
        pairs=int(closed[i]),
        effect=one.effect_interval(),
        side=one.side_interval(),
    )


def _evidence(pairs: Sequence[Pairs]) -> Evidence:
    on_pattern = pairs[0].on_pattern
    shape = (len(pairs), len(on_pattern))
    return Evidence(
        scenario_ids=[str(i) for i in range(len(on_pattern))],
        stratum=np.where(on_pattern, 0, 1),
        strata=("pattern", "traffic"),
        shares=np.array([0.5, 0.5]),
        fixed_patterns=np.zeros((len(on_pattern), 0), dtype=bool),
        patterns=(),
        weight=np.ones(shape),
        is_gold=np.ones(shape, dtype=bool),
        baseline=_arm(np.stack([one.baseline for one in pairs])),
        candidate=_arm(np.stack([one.candidate for one in pairs])),
    )


def _arm(outcomes: Floats) -> ArmRuns:
    runs = outcomes[..., np.newaxis]
    unknown = np.full(runs.shape, np.nan)
    return ArmRuns(
        outcome=runs,
        state=np.zeros(runs.shape, dtype=np.int8),
        gold=runs,
        cost=unknown,
        latency=unknown,
        coverage=unknown,
    )
