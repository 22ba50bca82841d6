"""Whether a plan could come to a ship at all, before anything is played. Pure.

Few scenarios of unequal weight show only large effects, and an edit is aimed at some of the traffic. Where
the gate could not ship even if all of that were mended, a test costs its episodes and a step of the online
level for nothing.
"""

from collections.abc import Collection

import numpy as np

from spanloop.optimizer.experiments.converting import framed, showing
from spanloop.optimizer.experiments.plan import ExperimentPlan
from spanloop.optimizer.gate import Verdict, run_sequential
from spanloop.optimizer.gate.evidence import ArmRuns, EpisodeState, Flags, Floats


def best_case(plan: ExperimentPlan, level: float, patterns: Collection[str]) -> Verdict:
    """Return what the gate would say if every scenario that shows one of ``patterns`` were mended.

    All of these fail at the baseline then, everything else is satisfied in both arms, the candidate costs
    nothing and takes no time, and nothing leaves the tape or gets lost.

    Args:
        plan: of the test.
        level: that it would be tested at.
        patterns: that the candidate is aimed at.
    """
    shape = (len(plan.scenarios), plan.design.repeats)
    failing = np.where(_aimed_at(plan, patterns), 0.0, 1.0)[:, np.newaxis]
    evidence = framed(
        plan, _arm(np.broadcast_to(failing, shape), spent=1.0), _arm(np.ones(shape), spent=0.0)
    )
    verdict, _ = run_sequential(evidence, plan.design.gate, level)
    return verdict


def share_of(plan: ExperimentPlan, patterns: Collection[str]) -> float:
    """Return the share of the plan's traffic that shows one of ``patterns``."""
    weight = np.array([each.weight for each in plan.scenarios], dtype=np.float64)
    return float(weight @ _aimed_at(plan, patterns) / max(weight.sum(), 1e-12))


def _aimed_at(plan: ExperimentPlan, patterns: Collection[str]) -> Flags:
    return np.asarray(showing(plan.scenarios, sorted(patterns)).any(axis=1))


def _arm(outcome: Floats, *, spent: float) -> ArmRuns:
    same = np.full(outcome.shape, spent)
    return ArmRuns(
        outcome=outcome,
        state=np.full(outcome.shape, EpisodeState.JUDGED, dtype=np.int8),
        gold=outcome,
        cost=same,
        latency=same,
        coverage=np.ones(outcome.shape),
    )
