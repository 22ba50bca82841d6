"""Episodes become evidence: what is missing, what is lost, whose fault it is."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from spanloop.optimizer.experiments.assessing import Assessed
from spanloop.optimizer.experiments.converting import evidence_of
from spanloop.optimizer.experiments.plan import ARMS, ExperimentPlan, Slot, make_plan
from spanloop.optimizer.experiments.runs import Run, Runs, missing
from spanloop.optimizer.gate.evidence import EpisodeState
from spanloop.optimizer.replay.episode import EpisodeResult, RunState
from tests.support.experiments import design, scenario, subject

PLAN = make_plan(
    subject(),
    design(repeats=2),
    [scenario(f"s{i}", stratum="ab"[i % 2], weight=0.1 * (i + 1)) for i in range(4)],
)
JUDGED, OWN, LOST = EpisodeState.JUDGED, EpisodeState.OWN_FAULT, EpisodeState.LOST


def run(plan: ExperimentPlan, slot: Slot, told: RunState | float | None) -> Run:
    """An episode that was judged, ended unjudged (None), or failed."""
    state: RunState = told if isinstance(told, str) else "finished"
    score = None if isinstance(told, str) else told
    return Run(
        experiment_id=plan.experiment_id,
        project="",
        scenario_id=slot.scenario_id,
        scenario_version=1,
        arm=slot.arm,
        repeat=slot.repeat,
        attempt=slot.attempt,
        configuration_hash="",
        result=EpisodeResult(
            run_id=plan.run_id(slot),
            state=state,
            tiers={"exact": 3, "miss": 1},
            input_tokens=9,
            output_tokens=1,
            cost_usd=0.5,
            latency_ms=7.0,
        ),
        is_gold=False,
        assessed=Assessed(
            score=score, trajectory_id="", trace_ids=(), second=None, gold=None, version="known-1"
        )
        if state == "finished"
        else None,
        started_ms=0,
        finished_ms=0,
    )


def pairs(
    plan: ExperimentPlan, told: Sequence[tuple[RunState | float | None, RunState | float | None]]
) -> Runs:
    """First attempts, in the order of the plan: (baseline, candidate)."""
    slots = [(each.scenario_id, r) for each in plan.scenarios for r in range(plan.design.repeats)]
    return {
        slot: run(plan, slot, how)
        for (scenario_id, repeat), both in zip(slots, told, strict=False)
        for slot, how in zip((Slot(scenario_id, arm, repeat, 0) for arm in ARMS), both, strict=True)
    }


def test_what_is_not_played_is_missing_and_what_is_played_is_not() -> None:
    first = PLAN.scenarios[:1]
    slots = missing(PLAN, first, {}, max_attempts=3)
    assert len(slots) == 4
    played = {slot: run(PLAN, slot, 1.0) for slot in slots[:-1]}
    assert missing(PLAN, first, played, max_attempts=3) == slots[-1:]
    assert (
        missing(PLAN, first, {**played, slots[-1]: run(PLAN, slots[-1], 0.0)}, max_attempts=3) == []
    )


@pytest.mark.parametrize("candidate", ["infrastructure", 1.0])
def test_a_pair_whose_baseline_got_lost_is_played_again_in_both_arms(
    candidate: RunState | float,
) -> None:
    plan = make_plan(subject(), design(), [scenario("s")])
    runs = pairs(plan, [("infrastructure", candidate)])
    again = missing(plan, plan.scenarios, runs, max_attempts=3)
    assert again == [Slot("s", arm, 0, 1) for arm in ARMS]
    assert missing(plan, plan.scenarios, runs, max_attempts=1) == []


def test_a_pair_that_the_candidate_alone_lost_stays_lost() -> None:
    plan = make_plan(subject(), design(), [scenario("s")])
    runs = dict(pairs(plan, [("infrastructure", "infrastructure")]))
    runs |= {Slot("s", "baseline", 0, 1): run(plan, Slot("s", "baseline", 0, 1), 1.0)}
    lost = Slot("s", "candidate", 0, 1)
    assert missing(plan, plan.scenarios, runs, max_attempts=3) == [lost]
    runs[lost] = run(plan, lost, "infrastructure")
    assert missing(plan, plan.scenarios, runs, max_attempts=3) == []
    evidence = evidence_of(plan, 1, runs, max_attempts=3)
    assert evidence.candidate.state.tolist() == [[LOST]]
    assert evidence.baseline.outcome.tolist() == [[1.0]]


def test_faults_of_the_agent_are_not_played_again() -> None:
    plan = make_plan(subject(), design(), [scenario("s")])
    for state in ("timed_out", "crashed", "step_cap", "tape_miss"):
        runs = pairs(plan, [(state, 1.0)])
        assert missing(plan, plan.scenarios, runs, max_attempts=3) == []


def test_every_started_pair_is_in_the_evidence() -> None:
    told: list[tuple[RunState | float | None, RunState | float | None]] = [
        (1.0, 0.25),
        ("crashed", "timed_out"),
        (None, 1.0),
        ("infrastructure", 0.0),
    ]
    evidence = evidence_of(PLAN, 2, pairs(PLAN, told), max_attempts=1)
    assert evidence.baseline.state.tolist() == [[JUDGED, OWN], [LOST, LOST]]
    assert evidence.candidate.state.tolist() == [[JUDGED, OWN], [JUDGED, JUDGED]]
    np.testing.assert_array_equal(evidence.baseline.outcome, [[1, np.nan], [np.nan, np.nan]])
    np.testing.assert_array_equal(evidence.candidate.outcome, [[0.25, np.nan], [1, 0]])
    np.testing.assert_array_equal(evidence.candidate.coverage, np.full((2, 2), 0.75))
    np.testing.assert_array_equal(evidence.baseline.cost, [[0.5, 0.5], [np.nan, np.nan]])


def test_the_frame_is_that_of_all_scenarios_whatever_is_closed() -> None:
    evidence = evidence_of(PLAN, 1, pairs(PLAN, [(1.0, 1.0)] * 2), max_attempts=1)
    assert evidence.strata == ["a", "b"]
    np.testing.assert_allclose(evidence.shares, [0.4, 0.6])
    assert evidence.scenario_ids == [PLAN.scenarios[0].scenario_id]


def test_tokens_stand_for_money_where_a_price_is_unknown() -> None:
    runs = dict(pairs(PLAN, [(1.0, 1.0)] * 2))
    (slot, priced), *_ = runs.items()
    unpriced = EpisodeResult(
        run_id=priced.run_id, state="finished", input_tokens=30, output_tokens=10
    )
    runs[slot] = Run(
        experiment_id="",
        project="",
        scenario_id=slot.scenario_id,
        scenario_version=1,
        arm=slot.arm,
        repeat=0,
        attempt=0,
        configuration_hash="",
        result=unpriced,
        is_gold=False,
        started_ms=0,
        finished_ms=0,
    )
    evidence = evidence_of(PLAN, 1, runs, max_attempts=1)
    np.testing.assert_array_equal(evidence.candidate.cost, [[10, 10]])
    assert sorted(evidence.baseline.cost.ravel()[np.isfinite(evidence.baseline.cost.ravel())]) == [
        10
    ]
