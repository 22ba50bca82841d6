"""What was played becomes what the gate sees. Pure: rows in, arrays out."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from spanloop.optimizer.experiments.plan import ARMS, ExperimentPlan
from spanloop.optimizer.experiments.runs import Run, Runs, last_attempt
from spanloop.optimizer.gate.evidence import ArmRuns, EpisodeState, Evidence, Flags, Floats
from spanloop.optimizer.scenarios.scenario import Scenario

TAPE_TARGET = "replay"


class Told(NamedTuple):
    """An episode as the gate counts it; None = unknown."""

    state: EpisodeState
    run: Run


def evidence_of(plan: ExperimentPlan, closed: int, runs: Runs, *, max_attempts: int) -> Evidence:
    """Return the first ``closed`` scenarios of the plan as evidence; the last attempt at a pair counts.

    An increment never changes at a later look: it depends on its own scenario only.
    """
    scenarios = plan.scenarios[:closed]
    pairs = [
        [
            Told(_state(run), run)
            for run in last_attempt(each.scenario_id, repeat, runs, max_attempts=max_attempts)
        ]
        for each in scenarios
        for repeat in range(plan.design.repeats)
    ]
    unit = _cost_unit([told.run for pair in pairs for told in pair])
    baseline, candidate = (
        _arm([pair[side] for pair in pairs], (closed, plan.design.repeats), unit)
        for side in range(len(ARMS))
    )
    return framed(plan, baseline, candidate)


def framed(plan: ExperimentPlan, baseline: ArmRuns, candidate: ArmRuns) -> Evidence:
    """Return what both arms did on the first scenarios of the plan, with what these stand for in traffic."""
    closed = len(baseline.state)
    scenarios = plan.scenarios[:closed]
    strata = sorted({each.stratum for each in plan.scenarios})
    planned = Counter(each.stratum for each in plan.scenarios if each.weight > 0.0)
    return Evidence(
        scenario_ids=[each.scenario_id for each in scenarios],
        stratum=np.array([strata.index(each.stratum) for each in scenarios], dtype=np.int64),
        strata=strata,
        shares=_shares(plan.scenarios, strata),
        fixed_patterns=showing(scenarios, plan.fixed_patterns),
        patterns=plan.fixed_patterns,
        weight=np.array([each.weight for each in scenarios], dtype=np.float64),
        is_gold=np.array([each.scenario_id in plan.gold for each in scenarios], dtype=np.bool_),
        baseline=baseline,
        candidate=candidate,
        heaviest=max(each.weight for each in plan.scenarios),
        planned=np.array([planned[stratum] for stratum in strata], dtype=np.int64),
        off_tape_possible=plan.design.target == TAPE_TARGET,
    )


def _state(run: Run) -> EpisodeState:
    if run.lost:
        return EpisodeState.LOST
    if run.result.state != "finished":
        return EpisodeState.OWN_FAULT
    judged = run.assessed is not None and run.assessed.score is not None
    return EpisodeState.JUDGED if judged else EpisodeState.LOST


def _arm(told: Sequence[Told], shape: tuple[int, int], unit: str) -> ArmRuns:
    def column(values: Sequence[float | None]) -> Floats:
        return np.array(
            [np.nan if value is None else value for value in values], dtype=np.float64
        ).reshape(shape)

    judged = [each.run.assessed if each.state is EpisodeState.JUDGED else None for each in told]
    kept = [None if each.state is EpisodeState.LOST else each.run for each in told]
    states: NDArray[np.int8] = np.array([each.state for each in told], dtype=np.int8)
    return ArmRuns(
        outcome=column([each.score if each else None for each in judged]),
        state=states.reshape(shape),
        gold=column([each.gold if each else None for each in judged]),
        cost=column([_cost(run, unit) if run else None for run in kept]),
        latency=column([run.result.latency_ms if run else None for run in kept]),
        coverage=column([run.result.coverage if run else None for run in kept]),
    )


def _cost_unit(runs: Sequence[Run]) -> str:
    """Money where every price is known, else tokens: a ratio needs one unit for both arms."""
    ended = [run for run in runs if not run.lost]
    return "usd" if all(run.result.cost_usd is not None for run in ended) else "tokens"


def _cost(run: Run, unit: str) -> float | None:
    return run.result.cost_usd if unit == "usd" else run.tokens


def _shares(scenarios: Sequence[Scenario], strata: Sequence[str]) -> Floats:
    """Of traffic, by stratum; of scenarios where no weight is known."""
    totals: Mapping[str, float] = {
        name: sum(each.weight for each in scenarios if each.stratum == name) for name in strata
    }
    whole = sum(totals.values())
    if whole > 0:
        return np.array([totals[name] / whole for name in strata], dtype=np.float64)
    counts = [sum(each.stratum == name for each in scenarios) for name in strata]
    return np.array(counts, dtype=np.float64) / len(scenarios)


def showing(scenarios: Sequence[Scenario], patterns: Sequence[str]) -> Flags:
    """Return (scenarios, patterns) whether each scenario shows each pattern."""
    return np.array(
        [[pattern in each.pattern_ids for pattern in patterns] for each in scenarios],
        dtype=np.bool_,
    ).reshape(len(scenarios), len(patterns))
