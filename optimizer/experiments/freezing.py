"""Freezes a plan before its first run: the row that says what was decided while nothing was known."""

from collections.abc import Collection, Sequence

from spanloop.optimizer.context import Context
from spanloop.optimizer.experiments.foreseeing import best_case, share_of
from spanloop.optimizer.experiments.holdout import allot, read_looks, scenarios_for
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
    scenarios = _enough(context, subject, design, fewest)
    plan = _frozen_before(context, subject, design, scenarios)
    if plan is None:
        plan = _made(context, subject, design, scenarios)
        # One that is decided says again what was decided: what ships since may have made it hopeless.
        if aims is not None and read_standing(context, plan.experiment_id) is None:
            _check_hope(context, plan, aims)
    return freeze(context, plan)[0]


def check_reach(
    context: Context, subject: Subject, *, design: Design, fewest: int, aims: Collection[str]
) -> None:
    """Raise if nothing that is aimed at ``aims`` could be shown to be better, whatever it did.

    Asked before anything is spent on candidates, with what is tested left as it is in ``subject``.

    Raises:
        PlanRefused: as `freeze_plan` would, of one candidate that mended them all.
    """
    scenarios = _enough(context, subject, design, fewest)
    _check_hope(context, _made(context, subject, design, scenarios), aims)


def _enough(context: Context, subject: Subject, design: Design, fewest: int) -> Sequence[Scenario]:
    scenarios = with_support(context, scenarios_for(context, subject, design.purpose))
    if len(scenarios) < fewest:
        raise PlanRefused(
            f"agent {subject.agent!r} has {len(scenarios)} scenarios for a {design.purpose}, "
            f"fewer than {fewest}: more traffic is needed"
        )
    return scenarios


def _made(
    context: Context, subject: Subject, design: Design, scenarios: Sequence[Scenario]
) -> ExperimentPlan:
    asked = {"agent": subject.agent, "project": subject.project}
    fixed = context.rows("experiments/select_fixed_patterns", asked)
    return make_plan(subject, design, scenarios, fixed_patterns=[name for (name,) in fixed])


def _check_hope(context: Context, plan: ExperimentPlan, aims: Collection[str]) -> None:
    looks = read_looks(context, agent=plan.subject.agent, project=plan.subject.project)
    level = allot(looks, plan).level
    best = best_case(plan, level, aims)
    if best.decision != "ship":
        short = f"e-value {best.e_value:.3g} of {1 / level:.3g}"
        # Or, say, a part of traffic that has too few scenarios to be shown unharmed.
        if best.reason not in ("", "budget"):
            short = best.reason
        raise PlanRefused(
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
