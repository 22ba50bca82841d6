"""What a candidate that the gate ships must still stand: fresh traffic, a second assessor, the leak scan.

All of it can only take a ship away, so nothing of it adds to the share of false ships.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from spanloop.optimizer.context import Context
from spanloop.optimizer.experiments.assessing import Assessor
from spanloop.optimizer.experiments.freezing import freeze_plan
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.experiments.plan import Design, ExperimentPlan, PlanRefused
from spanloop.optimizer.experiments.runner import ExperimentOutcome, run_experiment
from spanloop.optimizer.experiments.runs import Run, Runs, last_attempt, slot_of
from spanloop.optimizer.experiments.storing import (
    read_runs,
    read_standing,
    write_runs,
    write_standing,
)
from spanloop.optimizer.gate.verdict import Number

SECOND = "effect by the second assessor"
CONFIRMED_ON = 20
"""Fresh scenarios without which nothing is asked: episodes that cannot decide are spared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What became of a ship.

    Attributes:
        refused: why it is not to be released; none = nothing speaks against it.
        pending: what could not be asked yet.
        survived: whether the effect was there on fresh traffic too; None = not known.
        fresh: the experiment on fresh traffic, if there was one.
        second: effect by the second assessor, if it was asked.
    """

    refused: tuple[str, ...]
    pending: tuple[str, ...]
    survived: bool | None
    fresh: ExperimentOutcome | None
    second: Number | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrutiny:
    """What a ship is held against.

    Attributes:
        leaks: what the scans of the candidate found.
        second: an assessor of another kind or family, that fills `Assessed.second`; None = there is none.
        second_scenarios: it is asked about so many, the first of the frozen order.
    """

    leaks: Sequence[str] = ()
    second: Assessor | None = None
    second_scenarios: int = 60


def confirm_winner(
    context: Context, plan: ExperimentPlan, parts: ExperimentParts, *, scrutiny: Scrutiny
) -> Confirmation:
    """Hold the ship of ``plan`` against all that it must stand, the cheapest first.

    Called again, it goes on where it was, and anew once there is twice as much fresh traffic.
    """
    refused, pending = [f"leak: {leak}" for leak in scrutiny.leaks], list[str]()
    second = None
    if scrutiny.second is None:
        pending.append("no second assessor")
    elif not refused:
        second = ask_second(context, plan, scrutiny, max_attempts=parts.max_attempts)
        if second is None or second.value is None:
            pending.append("the second assessor could not tell")
        elif second.value <= 0:
            refused.append("the second assessor sees no effect")
    fresh = None if refused else confirm_on_fresh(context, plan, parts)
    survived = has_survived(fresh)
    if survived is False:
        refused.append("no effect on fresh traffic")
    elif survived is None and not refused:
        pending.append("too little fresh traffic")
    return Confirmation(
        refused=tuple(refused),
        pending=tuple(pending),
        survived=survived,
        fresh=fresh,
        second=second,
    )


def confirm_on_fresh(
    context: Context, plan: ExperimentPlan, parts: ExperimentParts
) -> ExperimentOutcome | None:
    """Test the candidate of ``plan`` on traffic that began after it was made; None = there is too little."""
    try:
        fresh = freeze_plan(
            context, plan.subject, design=fresh_design(plan.design), fewest=CONFIRMED_ON
        )
    except PlanRefused:
        return None
    return run_experiment(context, fresh, parts)


def fresh_design(design: Design) -> Design:
    """Return how a ship is confirmed: the claim alone; guardrails were shown, and fresh traffic is scarce."""
    gate = design.gate.model_copy(update={"guardrails": False})
    return replace(design, purpose="confirmation", candidates=1, gate=gate)


def has_survived(fresh: ExperimentOutcome | None) -> bool | None:
    """Return whether a ship has stood fresh traffic; None where that is not known (yet)."""
    if fresh is None:
        return None
    verdict = fresh.verdict
    if verdict.decision == "ship" or verdict.e_value * fresh.level >= 1.0:
        return True
    bound = verdict.effect.high if verdict.effect else None
    return False if verdict.decision == "reject" or (bound is not None and bound < 0) else None


def ask_second(
    context: Context, plan: ExperimentPlan, scrutiny: Scrutiny, *, max_attempts: int
) -> Number | None:
    """Ask about episodes of the experiment that it was not asked about yet; store and return its effect."""
    standing = read_standing(context, plan.experiment_id)
    if scrutiny.second is None or standing is None or standing.verdict is None:
        return None
    runs = {slot_of(run): run for run in read_runs(context, plan.experiment_id)}
    most = min(scrutiny.second_scenarios, standing.verdict.closed)
    asked = {each.scenario_id: each for each in plan.scenarios[:most]}
    waiting = {
        run.run_id: run
        for run in _judged(plan, runs, asked, max_attempts=max_attempts)
        if run.assessed and run.assessed.second is None
    }
    if waiting:
        said = scrutiny.second.assess(
            {run_id: asked[waiting[run_id].scenario_id] for run_id in sorted(waiting)}, gold=()
        )
        answered = [
            replace(
                run,
                assessed=replace(run.assessed, second=said[run_id].second),
                version=max(context.now_ms, run.version + 1),
            )
            for run_id, run in waiting.items()
            if run.assessed
        ]
        write_runs(context, answered)
        runs |= {slot_of(run): run for run in answered}
    effect = second_effect(plan, runs, asked, max_attempts=max_attempts)
    others = tuple(each for each in standing.verdict.numbers if each.name != effect.name)
    write_standing(
        context,
        plan,
        replace(
            standing,
            verdict=replace(standing.verdict, numbers=(*others, effect)),
            version=max(context.now_ms, standing.version + 1),
        ),
    )
    return effect


def second_effect(
    plan: ExperimentPlan, runs: Runs, scenarios: Collection[str], *, max_attempts: int
) -> Number:
    """Return the mean difference by the second assessor, over scenarios where it could tell of both arms.

    An arm's own fault is no success; a pair in which anything else is unknown is left out: this is a check
    of another's verdict, not a verdict.
    """
    differences: list[float] = []
    weights: list[float] = []
    for each in plan.scenarios:
        if each.scenario_id not in scenarios:
            continue
        pairs = [
            candidate - baseline
            for repeat in range(plan.design.repeats)
            for first, second in [
                last_attempt(each.scenario_id, repeat, runs, max_attempts=max_attempts)
            ]
            if (baseline := _second(first)) is not None
            and (candidate := _second(second)) is not None
        ]
        if pairs:
            differences.append(float(np.mean(pairs)))
            weights.append(each.weight)
    return _weighted_mean(differences, weights)


def _judged(
    plan: ExperimentPlan, runs: Runs, scenarios: Mapping[str, object], *, max_attempts: int
) -> Sequence[Run]:
    """The last attempts at pairs of ``scenarios``, as far as they came to an end."""
    return [
        run
        for scenario_id in scenarios
        for repeat in range(plan.design.repeats)
        for run in last_attempt(scenario_id, repeat, runs, max_attempts=max_attempts)
        if run.result.state == "finished"
    ]


def _second(run: Run) -> float | None:
    if run.lost:
        return None
    if run.result.state != "finished":
        return 0.0
    return run.assessed.second if run.assessed else None


def _weighted_mean(differences: Sequence[float], weights: Sequence[float]) -> Number:
    method = (
        f"weighted mean over {len(differences)} scenarios judged by both arms' second opinion; "
        "95 % t interval over scenarios"
    )
    n = len(differences)
    if n < 2 or sum(weights) <= 0:
        value = differences[0] if differences else None
        return Number(name=SECOND, value=value, method=method)
    share = np.array(weights) / sum(weights)
    mean = float(share @ np.array(differences))
    error = float(np.sqrt(n / (n - 1) * np.sum((share * (np.array(differences) - mean)) ** 2)))
    half = float(stats.t.ppf(0.975, n - 1)) * error
    return Number(
        name=SECOND,
        value=mean,
        low=max(mean - half, -1.0),
        high=min(mean + half, 1.0),
        method=method,
    )
