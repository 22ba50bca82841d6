"""The plan of an experiment: everything that is decided before any outcome is known, and frozen by a hash."""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any, Literal, NamedTuple, get_args

from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.optimizer.experiments.criteria import is_auditable
from spanloop.optimizer.gate import GateSettings, frozen_order
from spanloop.optimizer.scenarios.scenario import Scenario, Split
from spanloop.processor.errors import PermanentError

Purpose = Literal["gate", "confirmation", "validation"]
Arm = Literal["baseline", "candidate"]
ARMS: tuple[Arm, ...] = get_args(Arm)
StoredArm = Arm | Literal["validity"]
"""A validity replay is never an arm of a pair."""

SPLITS: Mapping[Purpose, Split] = {
    "gate": "test",
    "confirmation": "fresh",
    "validation": "validation",
}
"""Each purpose reads one split, and no other purpose reads that one."""


HEAVIEST = 3.0
"""Average scenarios that one counts for at most (docs/adr/0025-weights-are-capped.md)."""


class PlanRefused(PermanentError):
    """A plan that no verdict could rest on."""


class Slot(NamedTuple):
    """The place of one episode among those of an experiment, or of the validity replays."""

    scenario_id: str
    arm: StoredArm
    repeat: int
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What is tested.

    Attributes:
        candidate_id: '' = none stored (a configuration given by hand).
        created_at: of the candidate: a confirmation uses only traffic that began after it.
        cycle_id: '' = run by hand.
    """

    agent: str
    baseline: AgentConfiguration
    candidate: AgentConfiguration
    candidate_id: str
    created_at: datetime
    project: str = ""
    cycle_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """How it is tested.

    Attributes:
        target: `Target.name`.
        assessor_version: of what judges both arms.
        candidates: tested on the same locked set at once, so that they share its level.
        false_share: bound on the expected false share of all ships that the gate ever makes.
        repeats: episodes per arm and scenario.
        gate: its ``cap`` becomes what the scenarios of a plan can come to, if that is less.
        seed: of the order, the gold share and every episode.
        max_steps: model calls of one episode.
        timeout_s: wall clock of one episode.
    """

    purpose: Purpose
    target: str
    assessor_version: str
    gate: GateSettings
    candidates: int = 1
    false_share: float = 0.10
    repeats: int = 1
    seed: int = 1
    max_steps: int = 30
    timeout_s: float = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentPlan:
    """A frozen plan.

    Attributes:
        experiment_id: from its content: the same plan made again, after kill -9 too, has the same id.
        scenarios: in the order in which they are entered, each with the weight that it counts with.
        scenario_set_hash: of the list, its contents and its order.
        gold: ids of the scenarios drawn for the gold share.
        fixed_patterns: patterns fixed earlier, which the candidate must not bring back.
    """

    experiment_id: str
    subject: Subject
    design: Design
    scenarios: tuple[Scenario, ...]
    scenario_set_hash: str
    gold: frozenset[str]
    fixed_patterns: tuple[str, ...] = ()

    @property
    def scenarios_a_look(self) -> int:
        """How many are closed between two looks."""
        return max(1, math.ceil(self.design.gate.look_every / self.design.repeats))

    @property
    def generation(self) -> int:
        """Of the locked set."""
        return max((scenario.generation for scenario in self.scenarios), default=0)

    def run_id(self, slot: Slot) -> str:
        """Return the id of the episode in ``slot``: the same each time, and silent about its arm."""
        return "run-" + digest([self.experiment_id, *slot])

    def seed_of(self, slot: Slot) -> int:
        """Return the seed of an episode: one for both arms of a pair."""
        return number([self.experiment_id, slot.scenario_id, slot.repeat, slot.attempt])


def make_plan(
    subject: Subject,
    design: Design,
    scenarios: Sequence[Scenario],
    *,
    fixed_patterns: Sequence[str] = (),
) -> ExperimentPlan:
    """Return the plan: draws order and gold share by seeded hashes, so before and without any outcome.

    With a gold share, only scenarios that criteria can audit are entered, and the claim is about the traffic
    they stand for: gold that is missing where criteria say nothing would not be a random share. Where none
    can be audited all are entered, for people to label. No weight exceeds `HEAVIEST` times their mean: what
    stands for much traffic does so by loose likeness, and all bets are sized by the heaviest.

    Raises:
        PlanRefused: a scenario is of a split that the purpose may not read, or occurs twice; or none is.
    """
    _check(subject, design, scenarios)
    audited = [each for each in scenarios if design.gate.gold_share > 0 and is_auditable(each)]
    by_id = {each.scenario_id: each for each in audited or scenarios}
    order = frozen_order(by_id, seed=number(["order", design.seed, *_tested(subject)]))
    ordered = _capped_weights(
        [by_id[n] for n in order[: max(1, design.gate.cap // design.repeats)]]
    )
    design = _capped(design, len(ordered) * design.repeats)
    set_hash = digest([[each.scenario_id, each.content.hash] for each in ordered])
    gold = frozenset(
        each.scenario_id
        for each in ordered
        if _draw_gold(subject, design, each) < design.gate.gold_share
    )
    return ExperimentPlan(
        experiment_id=digest(_identity(subject, design, set_hash)),
        subject=subject,
        design=design,
        scenarios=ordered,
        scenario_set_hash=set_hash,
        gold=gold,
        fixed_patterns=tuple(sorted(fixed_patterns)),
    )


def frame_json(plan: ExperimentPlan) -> str:
    """Return what else is frozen, as JSON: how it is tested, and what each scenario stands for in traffic."""
    return json.dumps(
        {
            **_facts(plan.design),
            "gold": sorted(plan.gold),
            "fixed_patterns": plan.fixed_patterns,
            "frame": [[s.weight, s.stratum, list(s.pattern_ids)] for s in plan.scenarios],
        },
        ensure_ascii=False,
    )


def with_frame(plan: ExperimentPlan, frame: str) -> ExperimentPlan:
    """Return ``plan`` with the traffic it was frozen with: weights and strata may have moved since."""
    stored: dict[str, Any] = json.loads(frame)
    return replace(
        plan,
        fixed_patterns=tuple(stored["fixed_patterns"]),
        scenarios=tuple(
            scenario.model_copy(
                update={"weight": weight, "stratum": stratum, "pattern_ids": tuple(patterns)}
            )
            for scenario, (weight, stratum, patterns) in zip(
                plan.scenarios, stored["frame"], strict=True
            )
        ),
    )


def number(parts: Sequence[object]) -> int:
    """Return a number of 31 bits that ``parts`` determine, spread evenly."""
    return int(digest(list(parts))[:8], 16) >> 1


def _check(subject: Subject, design: Design, scenarios: Sequence[Scenario]) -> None:
    wanted = SPLITS[design.purpose]
    if not scenarios:
        raise PlanRefused(f"there is no scenario of split {wanted} for agent {subject.agent!r}")
    if len({each.scenario_id for each in scenarios}) < len(scenarios):
        raise PlanRefused("a scenario enters an experiment once")
    for each in scenarios:
        if each.split != wanted or each.state != "active":
            raise PlanRefused(
                f"a {design.purpose} reads active scenarios of split {wanted}; "
                f"{each.scenario_id} is {each.state}, of split {each.split}"
            )
        if design.purpose == "confirmation" and each.first_seen <= subject.created_at:
            raise PlanRefused(
                f"{each.scenario_id} began before the candidate was made: no fresh traffic"
            )


def _identity(subject: Subject, design: Design, set_hash: str) -> dict[str, object]:
    """What makes two plans the same: not the cycle, nor how traffic has moved since."""
    return {
        **_facts(design),
        "project": subject.project,
        "agent": subject.agent,
        "candidate_id": subject.candidate_id,
        "baseline": subject.baseline.hash,
        "candidate": subject.candidate.hash,
        "scenarios": set_hash,
    }


def _capped_weights(scenarios: Sequence[Scenario]) -> tuple[Scenario, ...]:
    most = HEAVIEST * sum(each.weight for each in scenarios) / len(scenarios)
    return tuple(
        each.model_copy(update={"weight": most}) if each.weight > most else each
        for each in scenarios
    )


def _capped(design: Design, pairs: int) -> Design:
    cap = min(design.gate.cap, pairs)
    return replace(design, gate=design.gate.model_copy(update={"cap": cap}))


def _facts(design: Design) -> dict[str, Any]:
    return {**asdict(design), "gate": design.gate.model_dump()}


def _draw_gold(subject: Subject, design: Design, scenario: Scenario) -> float:
    """Return a number from 0 to 1 (never 1) that only seed, candidate and scenario determine."""
    return number(["gold", design.seed, *_tested(subject), scenario.scenario_id]) / 2**31


def _tested(subject: Subject) -> tuple[str, str]:
    return subject.agent, subject.candidate_id
