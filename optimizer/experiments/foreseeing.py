"""Whether a plan could come to a ship at all, before anything is played. Pure.

Few scenarios of unequal weight show only large effects, and an edit is aimed at some of the traffic. Where
the gate could not ship even if all of that were mended, a test costs its episodes and a step of the online
level for nothing.
"""

from collections.abc import Collection

import numpy as np

from spanloop.optimizer.experiments.converting import framed
from spanloop.optimizer.experiments.plan import ExperimentPlan
from spanloop.optimizer.gate import Verdict, run_sequential
from spanloop.optimizer.gate.evidence import ArmRuns, EpisodeState, Floats


def best_case(plan: ExperimentPlan, level: float, patterns: Collection[str]) -> Verdict:
    """Return what the gate would say if every scenario that shows one of ``patterns`` were mended.

    All of these fail at the baseline then, everything else is satisfied in both arms, and nothing costs more,
    leaves the tape or gets lost.

    Args:
        plan: of the test.
        level: that it would be tested at.
        patterns: that the candidate is aimed at.
    """
    shape = (len(plan.scenarios), plan.design.repeats)
    aimed_at = np.array([not set(patterns).isdisjoint(s.pattern_ids) for s in plan.scenarios], bool)
    failing = np.broadcast_to(np.where(aimed_at, 0.0, 1.0)[:, np.newaxis], shape)
    evidence = framed(plan, _arm(failing), _arm(np.ones(shape)))
    verdict, _ = run_sequential(evidence, plan.design.gate, level)
    return verdict


def _arm(outcome: Floats) -> ArmRuns:
    same = np.ones(outcome.shape)
    return ArmRuns(
        outcome=outcome,
        state=np.full(outcome.shape, EpisodeState.JUDGED, dtype=np.int8),
        gold=outcome,
        cost=same,
        latency=same,
        coverage=same,
    )
