"""Freezes a plan before its first run: the row that says what was decided while nothing was known."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from spanloop.optimizer.context import Context
from spanloop.optimizer.experiments.foreseeing import best_case, share_of
from spanloop.optimizer.experiments.holdout import Look, allot, read_looks, scenarios_for
from spanloop.optimizer.experiments.plan import (
    Design,
    ExperimentPlan,
    PlanRefused,
    Subject,
    frame_json,
    make_plan,
    with_frame,
)
from spanloop.optimizer.experiments.storing import Standing, read_standing, write_standing
from spanloop.optimizer.experiments.validity import with_support
from spanloop.optimizer.scenarios.scenario import Scenario

ORDERS = 5
"""Of the scenarios, that are tried before it is said that nothing could be shown."""
MORE_FRESH = 2
"""Times as many fresh scenarios as the last confirmation had, from which on another one is worth its cost."""


def freeze_plan(
    context: Context,
    subject: Subject,
    *,
    design: Design,
    fewest: int = 1,
    aims: Collection[str] | None = None,
) -> ExperimentPlan:
    """Return the plan of a test of ``subject``, stored.

    The one that was frozen before, if its scenarios still are what they were: traffic that has come since
    does not make what was paid for worthless. One that is decided, only if a cycle asks, which tests a
    candidate once.

    Args:
        context: store and time.
        subject: what is tested.
        design: how.
        fewest: scenarios to test on.
        aims: patterns that the candidate is aimed at; None = whatever it may do.

    Raises:
        PlanRefused: there are fewer than ``fewest`` scenarios, or the gate could not ship the candidate if it
            mended all that it is aimed at.
    """
    scenarios = _scenarios_to_test_on(context, subject, design, fewest)
    plan = _frozen_before(context, subject, design, scenarios)
    if plan is None:
        fixed = _fixed_patterns(context, subject)
        plan = make_plan(subject, design, scenarios, fixed_patterns=fixed)
        # One that is decided says again what was decided: what ships since may have made it hopeless.
        if aims is not None and read_standing(context, plan.experiment_id) is None:
            looks = read_looks(context, agent=subject.agent, project=subject.project)
            if why := _hopeless(looks, plan, aims):
                raise PlanRefused(why)
    return freeze(context, plan)[0]


def check_reach(
    context: Context, subject: Subject, *, design: Design, fewest: int, aims: Collection[str]
) -> None:
    """Raise if nothing that is aimed at ``aims`` could be shown to be better, whatever it did.

    Asked before anything is spent on candidates, of ``subject`` as it is. What a candidate's id draws is not
    known yet: all is gold, if anything is, and of several orders the best one counts.

    Raises:
        PlanRefused: there are fewer than ``fewest`` scenarios, or the gate could not ship what mended all.
    """
    scenarios = _scenarios_to_test_on(context, subject, design, fewest)
    gold_share = 1.0 if design.gate.gold_share > 0 else 0.0
    gate = design.gate.model_copy(update={"gold_share": gold_share})
    looks = read_looks(context, agent=subject.agent, project=subject.project)
    fixed = _fixed_patterns(context, subject)
    designs = [replace(design, gate=gate, seed=design.seed + at) for at in range(ORDERS)]
    plans = [make_plan(subject, each, scenarios, fixed_patterns=fixed) for each in designs]
    hopeless = [_hopeless(looks, plan, aims) for plan in plans]
    if all(hopeless):
        raise PlanRefused(hopeless[0])


def _scenarios_to_test_on(
    context: Context, subject: Subject, design: Design, fewest: int
) -> Sequence[Scenario]:
    scenarios = with_support(context, scenarios_for(context, subject, design.purpose))
    if len(scenarios) < fewest:
        raise PlanRefused(
            f"agent {subject.agent!r} has {len(scenarios)} scenarios for a {design.purpose}, "
            f"fewer than {fewest}: more traffic is needed"
        )
    return scenarios


def _fixed_patterns(context: Context, subject: Subject) -> Sequence[str]:
    asked = {"agent": subject.agent, "project": subject.project}
    return [name for (name,) in context.rows("experiments/select_fixed_patterns", asked)]


def _hopeless(looks: Sequence[Look], plan: ExperimentPlan, aims: Collection[str]) -> str:
    """Return why the gate could not ship what mended all of ``aims``; '' = it could."""
    level = allot(looks, plan).level
    best = best_case(plan, level, aims)
    if best.decision == "ship":
        return ""
    short = f"e-value {best.e_value:.3g} of {1 / level:.3g}"
    # Or, say, a fixed pattern that no scenario of the plan covers.
    if best.reason not in ("", "budget"):
        short = best.reason
    return (
        f"if it mended all that it is aimed at ({share_of(plan, aims):.0%} of traffic), "
        f"{len(plan.scenarios)} scenarios could not show it ({short}): more traffic is needed"
    )


def freeze(context: Context, plan: ExperimentPlan) -> tuple[ExperimentPlan, Standing]:
    """Store ``plan`` unless it is; return it with the traffic it was frozen with, and how it stands."""
    standing = read_standing(context, plan.experiment_id)
    if standing is not None:
        return with_frame(plan, standing.settings), standing
    standing = Standing(
        state="frozen",
        settings=frame_json(plan),
        started_ms=context.now_ms,
        version=context.now_ms,
    )
    write_standing(context, plan, standing)
    return plan, standing


def _frozen_before(
    context: Context, subject: Subject, design: Design, scenarios: Sequence[Scenario]
) -> ExperimentPlan | None:
    by_id = {each.scenario_id: each for each in scenarios}
    asked = {
        "agent": subject.agent,
        "candidate": subject.candidate_id,
        "purpose": design.purpose,
    }
    for experiment_id, state, ids in context.rows("experiments/select_frozen", asked):
        if not by_id.keys() >= set(ids):
            continue
        plan = make_plan(subject, design, [by_id[name] for name in ids])
        if plan.experiment_id == experiment_id and (
            state != "decided"
            or (design.purpose == "gate" and subject.cycle_id)  # a cycle tests a candidate once
            or (design.purpose == "confirmation" and len(scenarios) < MORE_FRESH * len(ids))
        ):
            return plan
    return None
