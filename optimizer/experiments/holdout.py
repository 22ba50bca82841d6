"""Accounting of held-out scenarios: who may read which, what a look costs, when a locked set is spent."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spanloop.optimizer.configuration import digest
from spanloop.optimizer.context import Context, time_of
from spanloop.optimizer.experiments.plan import SPLITS, ExperimentPlan, Purpose, Subject
from spanloop.optimizer.gate import OnlineLevels
from spanloop.optimizer.gate.verdict import Decision, Verdict
from spanloop.optimizer.scenarios import load_scenarios, rotate_locked_set
from spanloop.optimizer.scenarios.scenario import Scenario

NOT_IN_SEQUENCE = 0
"""Sequence of looks that are no test of the online rule: confirmations and rankings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldoutLimits:
    """What one generation of a locked set may carry before it is replaced.

    Attributes:
        tests: candidates tested on it.
        looks: looks at it, over all candidates.
    """

    tests: int = 20
    looks: int = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A row of ``holdout_ledger``; ``e_value`` None = no scenario was closed yet."""

    look_id: str
    generation: int
    experiment_id: str
    sequence: int
    level: float
    closed: int
    e_value: float | None
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Allotment:
    """The place of an experiment in the life of the loop, and the level it is tested at."""

    sequence: int
    level: float


def scenarios_for(context: Context, subject: Subject, purpose: Purpose) -> Sequence[Scenario]:
    """Return the scenarios that an experiment of this purpose may read; the only reader of test and fresh.

    A confirmation gets traffic only that began after the candidate was made.
    """
    found = load_scenarios(context, agent=subject.agent, splits=(SPLITS[purpose],))
    return [
        each
        for each in found
        if each.project == subject.project
        and (purpose != "confirmation" or each.first_seen > subject.created_at)
    ]


def read_looks(context: Context, *, agent: str, project: str) -> Sequence[Look]:
    """Return the looks at an agent's held-out scenarios, in order of tests."""
    rows = context.rows("experiments/select_looks", {"agent": agent, "project": project})
    return [
        Look(
            look_id=look_id,
            generation=generation,
            experiment_id=experiment_id,
            sequence=sequence,
            level=level,
            closed=closed,
            e_value=e_value,
            decision=decision,
        )
        for (
            look_id,
            generation,
            experiment_id,
            sequence,
            level,
            closed,
            e_value,
            decision,
        ) in rows
    ]


def allot(looks: Sequence[Look], plan: ExperimentPlan) -> Allotment:
    """Return the place and level of ``plan``: those it has, else the next of the online rule.

    A confirmation is no test of its own: it can only take away from what the gate shipped, so nothing is
    divided.
    """
    design = plan.design
    own = [look for look in looks if look.experiment_id == plan.experiment_id]
    if own:
        return Allotment(sequence=own[0].sequence, level=own[0].level)
    if design.purpose != "gate":
        return Allotment(sequence=NOT_IN_SEQUENCE, level=design.gate.alpha)
    last = {look.sequence: look.decision for look in looks if look.sequence != NOT_IN_SEQUENCE}
    rule = OnlineLevels(
        alpha=design.false_share,
        tests=len(last),
        ships=sum(decision == "ship" for decision in last.values()),
    )
    return Allotment(
        sequence=max(last, default=0) + 1, level=rule.next_level(candidates=design.candidates)
    )


def record_look(
    context: Context,
    plan: ExperimentPlan,
    *,
    allotment: Allotment,
    verdict: Verdict | None,
    clock_ms: Callable[[], int],
) -> Look:
    """Append a look to the ledger; None = the level is allotted, before anything is seen."""
    look = Look(
        look_id=look_id(plan, verdict.closed if verdict else 0),
        generation=plan.generation,
        experiment_id=plan.experiment_id,
        sequence=allotment.sequence,
        level=allotment.level,
        closed=verdict.closed if verdict else 0,
        e_value=verdict.e_value if verdict else None,
        decision=verdict.decision if verdict else "continue",
    )
    context.insert(
        "holdout_ledger",
        [
            {
                "LookId": look.look_id,
                "Project": plan.subject.project,
                "AgentName": plan.subject.agent,
                "Generation": look.generation,
                "ScenarioSetHash": plan.scenario_set_hash,
                "ExperimentId": look.experiment_id,
                "Sequence": look.sequence,
                "AlphaAllotted": look.level,
                "Closed": look.closed,
                "EValue": look.e_value,
                "Decision": look.decision,
                "LookedAt": time_of(clock_ms()),
            }
        ],
    )
    return look


def look_id(plan: ExperimentPlan, closed: int) -> str:
    """Return the id of the look at the first ``closed`` scenarios."""
    return digest([plan.experiment_id, closed])


def is_spent(looks: Sequence[Look], limits: HoldoutLimits) -> bool:
    """Return whether the newest generation among ``looks`` has carried all it may.

    Candidates are made by what earlier verdicts said, so a set that is asked for ever is learned at last.
    """
    tests = [look for look in looks if look.sequence != NOT_IN_SEQUENCE]
    newest = max((look.generation for look in tests), default=0)
    asked = [look for look in tests if look.generation == newest]
    return len({look.experiment_id for look in asked}) >= limits.tests or len(asked) >= limits.looks


def rotate_if_spent(
    context: Context,
    *,
    agent: str,
    project: str = "",
    limits: HoldoutLimits | None = None,
    unless: Sequence[str] = (),
) -> int | None:
    """Replace the locked set of ``agent`` if it is spent; return its new generation, None = it was not.

    Experiments in ``unless`` do not count: those of the cycle that asks, so that a cycle that is resumed
    after kill -9 finds the set it began with.
    """
    looks = read_looks(context, agent=agent, project=project)
    counted = [look for look in looks if look.experiment_id not in unless]
    if not counted or not is_spent(counted, limits or HoldoutLimits()):
        return None
    current = {
        each.generation
        for each in load_scenarios(context, agent=agent, splits=(SPLITS["gate"],))
        if each.project == project
    }
    if current and max(current) > max(look.generation for look in counted):
        return None  # rotated already; nobody has looked at the new one yet
    return rotate_locked_set(context, agent=agent)
