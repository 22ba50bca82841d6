"""Plans: everything that is decided before any outcome."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from spanloop.optimizer.experiments.plan import (
    ExperimentPlan,
    PlanRefused,
    Purpose,
    Slot,
    frame_json,
    make_plan,
    with_frame,
)
from spanloop.optimizer.gate import GateSettings
from spanloop.optimizer.scenarios.scenario import Content, Split
from tests.support.experiments import CREATED, candidate, design, scenario, subject

HUNDRED = [scenario(f"s{i:03d}") for i in range(100)]


def test_the_same_plan_made_again_is_found_by_its_id() -> None:
    first = make_plan(subject(), design(), HUNDRED)
    again = make_plan(replace(subject(), cycle_id="another"), design(), HUNDRED[::-1])
    assert again.experiment_id == first.experiment_id
    assert again.scenarios == first.scenarios


@pytest.mark.parametrize(
    "other",
    [
        make_plan(subject(candidate("other")), design(), HUNDRED),
        make_plan(subject(), design(seed=2), HUNDRED),
        make_plan(subject(), design(repeats=2), HUNDRED),
        make_plan(subject(), design(assessor_version="known-2"), HUNDRED),
        make_plan(subject(), design(), HUNDRED[1:]),
        make_plan(
            subject(),
            design(),
            [*HUNDRED[1:], HUNDRED[0].model_copy(update={"content": Content(opening="changed")})],
        ),
    ],
    ids=["candidate", "seed", "repeats", "assessor", "scenarios", "content"],
)
def test_a_plan_with_anything_else_is_another_experiment(other: ExperimentPlan) -> None:
    first = make_plan(subject(), design(), HUNDRED)
    assert other.experiment_id != first.experiment_id


def test_no_scenario_counts_for_much_more_than_another() -> None:
    heavy = [HUNDRED[0].model_copy(update={"weight": 0.2}), *HUNDRED[1:]]
    light = [each.model_copy(update={"weight": 0.01}) for each in HUNDRED[1:]]
    plan = make_plan(subject(), design(), [heavy[0], *light])
    weights = {each.scenario_id: each.weight for each in plan.scenarios}
    assert weights[HUNDRED[0].scenario_id] == pytest.approx(3 * (0.2 + 0.99) / 100)
    assert {weights[each.scenario_id] for each in light} == {0.01}
    assert with_frame(plan, frame_json(plan)).scenarios == plan.scenarios
    even = make_plan(subject(), design(), HUNDRED)
    assert {each.weight for each in even.scenarios} == {HUNDRED[0].weight}


def test_order_and_gold_depend_on_nothing_that_an_outcome_could_move() -> None:
    known = [
        each.model_copy(update={"production_satisfied": i % 2, "weight": i / 100})
        for i, each in enumerate(HUNDRED)
    ]
    plans = [make_plan(subject(), design(), scenarios) for scenarios in (HUNDRED, known)]
    first, second = ([each.scenario_id for each in plan.scenarios] for plan in plans)
    assert first == second != sorted(first)
    assert plans[0].gold == plans[1].gold
    assert not plans[0].gold ^ {each.scenario_id for each in HUNDRED}
    assert 15 < len(make_plan(subject(), design(gate=GateSettings()), HUNDRED).gold) < 35


def test_a_cap_takes_the_first_of_the_order() -> None:
    whole = make_plan(subject(), design(), HUNDRED)
    capped = make_plan(subject(), design(gate=GateSettings(cap=10)), HUNDRED)
    assert len(capped.scenarios) == capped.design.gate.cap == 10
    assert whole.design.gate.cap == 100
    assert len(make_plan(subject(), design(repeats=20), HUNDRED).scenarios) == 30
    assert set(capped.scenarios) == set(whole.scenarios[:10])


def test_both_arms_of_a_pair_have_one_seed_and_runs_of_their_own() -> None:
    plan = make_plan(subject(), design(), HUNDRED)
    baseline, tested = Slot("s000", "baseline", 0, 0), Slot("s000", "candidate", 0, 0)
    assert plan.seed_of(baseline) == plan.seed_of(tested)
    assert plan.seed_of(baseline) != plan.seed_of(baseline._replace(repeat=1))
    ids = {plan.run_id(slot) for slot in (baseline, tested, baseline._replace(attempt=1))}
    assert len(ids) == 3
    assert not any(arm in run_id for run_id in ids for arm in ("baseline", "candidate"))


@pytest.mark.parametrize(
    ("purpose", "split"),
    [
        ("gate", "train"),
        ("gate", "validation"),
        ("gate", "fresh"),
        ("confirmation", "test"),
        ("validation", "test"),
        ("validation", "fresh"),
    ],
)
def test_a_purpose_reads_its_own_split_only(purpose: Purpose, split: Split) -> None:
    with pytest.raises(PlanRefused, match=split):
        make_plan(subject(), design(purpose), [scenario("s", split)])


def test_a_confirmation_reads_only_traffic_newer_than_the_candidate() -> None:
    old = scenario("old", "fresh", first_seen=CREATED - timedelta(days=1))
    with pytest.raises(PlanRefused, match="no fresh traffic"):
        make_plan(subject(), design("confirmation"), [old])
    assert make_plan(subject(), design("confirmation"), [scenario("new", "fresh")]).scenarios


def test_a_scenario_enters_once_and_none_is_refused() -> None:
    with pytest.raises(PlanRefused, match="once"):
        make_plan(subject(), design(), [HUNDRED[0], HUNDRED[0]])
    with pytest.raises(PlanRefused, match="no scenario"):
        make_plan(subject(), design(), [])
    with pytest.raises(PlanRefused, match="dropped"):
        make_plan(subject(), design(), [scenario("s", state="dropped")])


def test_traffic_that_moves_after_freezing_moves_nothing() -> None:
    frozen = make_plan(subject(), design(), HUNDRED, fixed_patterns=["p1"])
    moved = [each.model_copy(update={"weight": 0.9, "stratum": "other"}) for each in HUNDRED]
    again = make_plan(subject(), design(), moved, fixed_patterns=["p1", "p2"])
    assert with_frame(again, frame_json(frozen)) == frozen
