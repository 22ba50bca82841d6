"""Turns simulated experiments into what the gate sees."""

import numpy as np
from numpy.typing import NDArray

from benchmarks.gate.generator import PATTERNS, STRATUM_SHARES, Arm, Cell, Draw
from spanloop.optimizer.gate import ArmRuns, EpisodeState, Evidence, GateSettings

Flags = NDArray[np.bool_]
Outcomes = NDArray[np.bool_] | NDArray[np.float64]
STRATA = tuple(f"{index + 1}" for index in range(len(STRATUM_SHARES)))


def settings_of(cell: Cell, *, guardrails: bool = True, look_every: int = 10) -> GateSettings:
    """Return the gate's settings for ``cell``: defaults, but for what the definition fixes."""
    return GateSettings(
        cap=cell.scenarios * cell.repeats,
        gold_share=cell.gold,
        guardrails=guardrails,
        look_every=look_every,
    )


def evidence_of(draw: Draw, *, baseline: Flags | None = None) -> Evidence:
    """Return a batch of experiments as evidence.

    Args:
        draw: simulated.
        baseline: outcomes to use as the baseline's instead of its own.
    """
    n = draw.weight.shape[-1]
    arms = [
        _arm(draw.baseline, draw.gold, given=baseline),
        _arm(draw.candidate, draw.gold, given=None),
    ]
    return Evidence(
        scenario_ids=tuple(f"s{index}" for index in range(n)),
        stratum=draw.stratum,
        strata=STRATA,
        shares=np.array(STRATUM_SHARES),
        fixed_patterns=draw.patterns,
        patterns=tuple(f"{index + 1}" for index in range(PATTERNS)),
        weight=draw.weight,
        is_gold=draw.gold,
        baseline=arms[0],
        candidate=arms[1],
        heaviest=float(draw.weight.max()),
    )


def plain_evidence(baseline: Outcomes, candidate: Outcomes) -> Evidence:
    """Return experiments with nothing but outcomes, (..., scenarios, repeats): one stratum, all gold."""
    *_, n, _ = candidate.shape
    experiments = candidate.shape[:-1]
    return Evidence(
        scenario_ids=tuple(f"s{index}" for index in range(n)),
        stratum=np.zeros(experiments, np.int64),
        strata=("all",),
        shares=np.ones(1),
        fixed_patterns=np.zeros((*experiments, 0), bool),
        patterns=(),
        weight=np.ones(experiments),
        is_gold=np.ones(experiments, bool),
        baseline=_plain(baseline),
        candidate=_plain(candidate),
        heaviest=1.0,
    )


def _plain(outcome: Outcomes) -> ArmRuns:
    values = outcome.astype(np.float64)
    nothing = np.broadcast_to(np.nan, values.shape)
    return ArmRuns(
        outcome=values,
        state=np.zeros(values.shape, np.int8),
        gold=values,
        cost=nothing,
        latency=nothing,
        coverage=nothing,
    )


def _arm(arm: Arm, gold: Flags, *, given: Flags | None) -> ArmRuns:
    truth = arm.truth if given is None else given
    state = np.where(arm.lost, EpisodeState.LOST, EpisodeState.JUDGED).astype(np.int8)
    seen = np.where(arm.lost, np.nan, truth)
    same = given is not None or arm.judged is arm.truth
    outcome = seen if same else np.where(arm.lost, np.nan, arm.judged)
    known = seen if gold.all() else np.where(gold[..., np.newaxis], seen, np.nan)
    return ArmRuns(
        outcome=outcome,
        state=state,
        gold=known,
        cost=arm.cost,
        latency=arm.latency,
        coverage=np.ones(truth.shape),
    )
