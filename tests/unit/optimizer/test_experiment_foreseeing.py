"""Whether a plan could come to a ship, were everything mended that a candidate is aimed at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spanloop.optimizer.experiments.foreseeing import best_case
from spanloop.optimizer.experiments.plan import ExperimentPlan, make_plan
from tests.support.experiments import GATE, design, scenario, subject

LEVEL = 0.02


def plan_of(
    aimed_at: int, *, of: int = 60, weight: float = 1.0, gold: float = 1.0
) -> ExperimentPlan:
    """A plan of which the first scenarios show the pattern; they have this weight, the others 1."""
    return make_plan(
        subject(),
        replace(design(), gate=GATE.model_copy(update={"gold_share": gold})),
        [
            scenario(
                f"s{i}",
                weight=weight if i < aimed_at else 1.0,
                pattern_ids=("p",) if i < aimed_at else (),
            )
            for i in range(of)
        ],
    )


@pytest.mark.parametrize(
    ("aimed_at", "of", "decision"), [(30, 60, "ship"), (60, 60, "ship"), (1, 60, "inconclusive")]
)
def test_what_is_aimed_at_much_can_be_shown(aimed_at: int, of: int, decision: str) -> None:
    assert best_case(plan_of(aimed_at, of=of), LEVEL, {"p"}).decision == decision


def test_a_few_scenarios_show_nothing_whatever_they_say() -> None:
    assert best_case(plan_of(3, of=3), LEVEL, {"p"}).decision != "ship"


def test_weight_counts_and_not_number() -> None:
    assert best_case(plan_of(30, weight=0.01), LEVEL, {"p"}).decision != "ship"


def test_a_stricter_level_may_be_out_of_reach() -> None:
    plan = plan_of(15)
    assert best_case(plan, 0.05, {"p"}).decision == "ship"
    assert best_case(plan, 1e-9, {"p"}).decision != "ship"


def test_without_a_scenario_of_the_pattern_there_is_no_effect() -> None:
    verdict = best_case(plan_of(30), LEVEL, {"other"})
    assert verdict.decision != "ship"
    assert verdict.effect is not None
    assert verdict.effect.value == 0.0


def test_all_patterns_of_a_bundle_count() -> None:
    plan = plan_of(30)
    assert best_case(plan, LEVEL, {"other", "p"}).decision == "ship"
