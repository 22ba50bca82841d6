"""Whether a plan could come to a ship, were everything mended that a candidate is aimed at."""

from __future__ import annotations

from dataclasses import replace

import pytest

from spanloop.optimizer.experiments.foreseeing import best_case, share_of
from spanloop.optimizer.experiments.plan import ExperimentPlan, make_plan
from tests.support.experiments import GATE, design, scenario, subject

LEVEL = 0.02


def plan_of(
    aimed_at: int, *, of: int = 60, weight: float = 1.0, thin: int = 0, **gate: object
) -> ExperimentPlan:
    """A plan of which the first scenarios show the pattern ``p``, those after them ``q``.

    Args:
        aimed_at: scenarios that show ``p``.
        of: scenarios.
        weight: of those that show ``p``; the others weigh 1.
        thin: scenarios at the end that are a part of traffic of their own.
        gate: settings of the gate.
    """
    return make_plan(
        subject(),
        replace(design(), gate=GATE.model_copy(update=gate)),
        [
            scenario(
                f"s{i}",
                weight=weight if i < aimed_at else 1.0,
                pattern_ids=("p",) if i < aimed_at else ("q",),
                stratum="thin" if i >= of - thin else "all",
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
    plan = plan_of(7, of=14)
    assert best_case(plan, LEVEL, {"p"}).decision != "ship"
    assert best_case(plan, LEVEL, {"p", "q"}).decision == "ship"
    assert share_of(plan, {"p"}) == pytest.approx(0.5)
    assert share_of(plan, {"p", "q"}) == pytest.approx(1.0)


def test_a_share_of_gold_shows_less() -> None:
    assert best_case(plan_of(30, gold_share=1.0), LEVEL, {"p"}).decision == "ship"
    assert best_case(plan_of(30, gold_share=0.25), LEVEL, {"p"}).decision != "ship"


def test_a_part_that_cannot_be_shown_unharmed_is_named() -> None:
    plan = plan_of(30, guardrails=True, max_cost_ratio=None, max_latency_ratio=None)
    verdict = best_case(replace(plan, fixed_patterns=("mended",)), LEVEL, {"p"})
    assert (verdict.decision, verdict.reason) == ("inconclusive", "guardrail: pattern mended")


def test_a_few_that_stay_as_they_are_do_not_put_all_out_of_reach() -> None:
    plan = plan_of(30, thin=4, guardrails=True, max_cost_ratio=None, max_latency_ratio=None)
    assert best_case(plan, LEVEL, {"p"}).decision == "ship"


def test_what_costs_less_needs_few_scenarios_to_show_that_it_does() -> None:
    assert best_case(plan_of(15, of=15, guardrails=True), LEVEL, {"p"}).decision == "ship"
