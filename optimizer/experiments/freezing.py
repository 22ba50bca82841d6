"""Freezes a plan before its first run: the row that says what was decided while nothing was known."""

from spanloop.optimizer.context import Context
from spanloop.optimizer.experiments.holdout import scenarios_for
from spanloop.optimizer.experiments.plan import (
    Design,
    ExperimentPlan,
    Subject,
    frame_json,
    make_plan,
    with_frame,
)
from spanloop.optimizer.experiments.storing import Standing, read_standing, write_standing


def freeze_plan(context: Context, subject: Subject, *, design: Design) -> ExperimentPlan:
    """Return the plan of a test of ``subject``, stored; the same one where it was frozen before.

    Raises:
        PlanRefused: there is nothing to test on.
    """
    fixed = context.rows(
        "experiments/select_fixed_patterns", {"agent": subject.agent, "project": subject.project}
    )
    plan = make_plan(
        subject,
        design,
        scenarios_for(context, subject, design.purpose),
        fixed_patterns=[pattern for (pattern,) in fixed],
    )
    return freeze(context, plan)[0]


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
