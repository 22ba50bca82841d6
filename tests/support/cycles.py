"""Shops whose truth is known, and cycles that work on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from spanloop.optimizer.candidates.candidate import (
    CandidateEngine,
    Edit,
    Intervention,
    PatternBrief,
    Proposal,
)
from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.optimizer.context import Context
from spanloop.optimizer.cycle.cycle import CycleReport, run_cycle
from spanloop.optimizer.cycle.parts import Agent, CycleParts, CycleSettings, Procedure
from spanloop.optimizer.cycle.state import Unavailable
from spanloop.optimizer.experiments.assessing import Assessor
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.gate import GateSettings
from spanloop.optimizer.models import Lease
from spanloop.optimizer.models.rate_limit import RateLimiter, RateLimits
from spanloop.optimizer.patterns.predicates import Predicate, Term, to_json
from spanloop.optimizer.releases import register
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.scenarios import save_scenarios
from spanloop.optimizer.scenarios.scenario import Content, Scenario, Split
from tests.support.analysis import LATER_MS, AnalysisStore, open_analysis_store
from tests.support.experiments import GATE, KnownAssessor, KnownTarget, scenario, ticks
from tests.support.scenario_runs import START, Run, insert_runs

AGENT = "shop"


def predicate(detail: str, *more: str) -> str:
    """The predicate of a pattern, as it is stored: one detail of a symptom, or several at once."""
    terms = (Term("symptom", "user_correction", each) for each in (detail, *more))
    return to_json(Predicate.of(*terms))


@dataclass
class KnownPlayers:
    """Players of targets of which ``truth`` is known.

    Attributes:
        dies_at: the process dies when so many episodes were played.
        gate: of the tests.
    """

    truth: Callable[[EpisodeRequest], bool]
    available: bool = True
    gate: GateSettings = GATE
    dies_at: int | None = None
    target: KnownTarget = field(init=False)

    def __post_init__(self) -> None:
        self.target = KnownTarget(self.truth)

    def testing(self, agent: Agent) -> Procedure:
        if not self.available:
            raise Unavailable("name a model")
        return Procedure(target="replay", gate=self.gate)

    def parts(
        self, context: Context, agent: Agent, *, lease: Lease, as_of_ms: int
    ) -> ExperimentParts:
        def before(request: EpisodeRequest) -> None:
            if self.dies_at is not None and len(self.target.played) >= self.dies_at:
                raise KeyboardInterrupt

        self.target.lease = lease
        self.target.before = before
        return ExperimentParts(
            target=self.target,
            assessor=KnownAssessor(self.target),
            lease=lease,
            limiter=RateLimiter(RateLimits(in_flight=4)),
            recover=self.target.recover,
            clock_ms=ticks(LATER_MS + 10_000_000 + len(self.target.played) * 1_000),
            pause_s=0.0,
            tokens_an_episode=200,
        )

    def second(self, context: Context, *, lease: Lease, as_of_ms: int) -> Assessor | None:
        return None


@dataclass
class KnownEngine:
    """Adds what is known about each pattern to the instructions, for nothing."""

    fixes: Mapping[str, Sequence[tuple[Intervention, str]]]
    name: str = "template"
    calls: int = 0

    def propose(
        self, brief: PatternBrief, configuration: AgentConfiguration, *, lease: Lease, n: int
    ) -> Sequence[Proposal]:
        self.calls += 1
        return [
            Proposal(
                engine=self.name,
                intervention=intervention,
                edits=(Edit(component="instructions", operation="add", text=text),),
            )
            for intervention, text in self.fixes.get(brief.pattern_id, ())
        ]


def opening(name: str) -> str:
    """Words that no other opening has, so that no two scenarios are merged."""
    letters = digest(name).translate(str.maketrans("0123456789", "ghijklmnop"))
    return " ".join(letters[at : at + 6] for at in range(0, 30, 6)) + "?"


Where = tuple[Split, *tuple[str, ...]]
"""Its split, and the patterns that a situation shows."""


def situation(name: str, split: Split, *patterns: str) -> Scenario:
    """A situation that shows ``patterns``."""
    return scenario(
        name,
        split,
        agent=AGENT,
        cluster_key=name,
        content=Content(opening=opening(name)),
        trajectories=(f"run-{name}",),
        first_seen=START,
        last_seen=START,
        pattern_ids=patterns,
    )


def open_shop(
    directory: Path,
    patterns: Mapping[str, str],
    situations: Mapping[str, Where],
    *,
    cases: Mapping[str, str] | None = None,
) -> AnalysisStore:
    """Return a store whose agent fails in ``patterns`` (id → category), in ``situations``.

    ``cases`` are special cases, of which pattern.
    """
    wider = {name: (wide,) for name, wide in (cases or {}).items()}
    opened = open_analysis_store(directory)
    insert_runs(
        opened.client,
        [
            Run(name=f"run-{name}", told=[opening(name)], agent=AGENT, user=name, patterns=shown)
            for name, (_, *shown) in situations.items()
        ],
        version=1,
    )
    opened.client.insert(
        "failure_patterns",
        [
            [
                name,
                f"It fails: {name[0]}",
                category,
                "open",
                predicate(name, *wider.get(name, ())),
                [AGENT],
                8,
                START,
                START,
                1,
            ]
            for name, category in patterns.items()
        ],
        column_names=[
            *("PatternId", "Title", "Category", "State", "Predicate", "Agents", "Members"),
            *("FirstSeen", "LastSeen", "Version"),
        ],
    )
    save_scenarios(
        opened.context(), [situation(name, *where) for name, where in situations.items()]
    )
    configuration = AgentConfiguration(components={"instructions": "Help."})
    register(opened.context(), AGENT, configuration, project="")
    return opened


def cycle(
    store: AnalysisStore,
    players: KnownPlayers,
    *engines: CandidateEngine,
    seed: int = 0,
    **settings: object,
) -> CycleReport:
    """Run a cycle, or go on with it; with the same ``seed``, the first of any store draws the same."""
    (known,) = store.rows("SELECT uniqExact(CycleId) AS n FROM cycles")
    parts = CycleParts(
        analyse=lambda context: {},
        engines=lambda library, player: engines,
        players=players,
        settings=replace(CycleSettings(fewest_trajectories=5), **settings),  # type: ignore[arg-type]
        clock_ms=store.clock,
        new_id=lambda: digest([seed, known["n"]]),
    )
    return run_cycle(store.context(store.clock()), parts)


def stage(report: CycleReport, name: str) -> Mapping[str, int]:
    """Return the counts of a stage."""
    (found,) = [each for each in report.stages if each.stage == name]
    return found.counts
