"""A cycle on the real engine, with an agent whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from spanloop.optimizer.candidates.candidate import (
    CandidateEngine,
    Edit,
    Intervention,
    PatternBrief,
    Proposal,
)
from spanloop.optimizer.candidates.stored import load_candidates
from spanloop.optimizer.configuration import AgentConfiguration, digest
from spanloop.optimizer.context import Context
from spanloop.optimizer.cycle.cycle import CycleReport, agents_of, run_cycle
from spanloop.optimizer.cycle.ledger import Caps
from spanloop.optimizer.cycle.parts import Agent, CycleParts, CycleSettings, Procedure
from spanloop.optimizer.cycle.state import Unavailable
from spanloop.optimizer.experiments.assessing import Assessor
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.models import Lease
from spanloop.optimizer.models.rate_limit import RateLimiter, RateLimits
from spanloop.optimizer.releases import load_releases, register
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.scenarios import save_scenarios
from spanloop.optimizer.scenarios.scenario import Content, Scenario, Split
from spanloop.optimizer.strategies import load_strategies, load_trials
from tests.support.analysis import LATER_MS, AnalysisStore, open_analysis_store
from tests.support.experiments import GATE, KnownAssessor, KnownTarget, chance, scenario, ticks
from tests.support.scenario_runs import START, Run, insert_runs

AGENT = "shop"
PATTERN = "p" * 32
PREDICATE = '{"all": [{"kind": "symptom", "subject": "user_correction"}], "format": 1}'
GOOD, LEARNED, MUTE = "Check twice.", "It is always 42.", "Answer nothing."
CLOCK = ticks(LATER_MS)


@dataclass
class Engine:
    """Proposes a good edit, one that fits train scenarios alone and a hopeless one, for nothing."""

    name: str = "template"
    calls: int = 0

    def propose(
        self, brief: PatternBrief, configuration: AgentConfiguration, *, lease: Lease, n: int
    ) -> Sequence[Proposal]:
        self.calls += 1
        tried: Sequence[tuple[Intervention, str]] = (
            ("verification", GOOD),
            ("stop_rule", LEARNED),
            ("instruction_refinement", MUTE),
        )
        return [
            Proposal(
                engine=self.name,
                intervention=intervention,
                edits=(Edit(component="instructions", operation="add", text=text),),
            )
            for intervention, text in tried
        ]


@dataclass
class KnownPlayers:
    """Targets of which only the good edit satisfies more users."""

    available: bool = True
    dies_at: int | None = None
    played: list[str] = field(default_factory=list)
    target: KnownTarget = field(init=False)

    def __post_init__(self) -> None:
        def truth(request: EpisodeRequest) -> bool:
            prompt = request.configuration.system_prompt()
            train = request.scenario.split == "train"
            if MUTE in prompt:
                return False
            if LEARNED in prompt and train:
                return True
            good = 0.6 if train else 0.9
            return chance(request.run_id) < (good if GOOD in prompt else 0.3)

        self.target = KnownTarget(truth)

    def testing(self, agent: Agent) -> Procedure:
        if not self.available:
            raise Unavailable("name a model")
        return Procedure(target="replay", gate=GATE)

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


def opening(name: str) -> str:
    """Words that no other opening has, so that no two scenarios are merged."""
    letters = digest(name).translate(str.maketrans("0123456789", "ghijklmnop"))
    return " ".join(letters[at : at + 6] for at in range(0, 30, 6)) + "?"


def situation(name: str, split: Split) -> Scenario:
    return scenario(
        name,
        split,
        agent=AGENT,
        cluster_key=name,
        content=Content(opening=opening(name)),
        trajectories=(f"run-{name}",),
        first_seen=START,
        last_seen=START,
        pattern_ids=(PATTERN,),
    )


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    directory: Path = tmp_path_factory.mktemp("cycle")
    opened = open_analysis_store(directory)
    names = [*(f"test-{n}" for n in range(60)), *(f"train-{n}" for n in range(12))]
    runs = [
        Run(name=f"run-{name}", told=[opening(name)], agent=AGENT, user=name, patterns=[PATTERN])
        for name in names
    ]
    insert_runs(opened.client, runs, version=1)
    opened.client.insert(
        "failure_patterns",
        [
            [
                *(PATTERN, "It is not checked", "verification", "open", PREDICATE, [AGENT], 8),
                *(START, START, 1),
            ]
        ],
        column_names=[
            *("PatternId", "Title", "Category", "State", "Predicate", "Agents", "Members"),
            *("FirstSeen", "LastSeen", "Version"),
        ],
    )
    save_scenarios(
        opened.context(),
        [situation(name, "train" if name.startswith("train") else "test") for name in names],
    )
    register(
        opened.context(),
        AGENT,
        AgentConfiguration(components={"instructions": "Help."}),
        project="",
    )
    yield opened
    opened.client.close()


def cycle(
    store: AnalysisStore, players: KnownPlayers, engine: Engine, **settings: object
) -> CycleReport:
    engines: Sequence[CandidateEngine] = [engine]
    parts = CycleParts(
        analyse=lambda context: {},
        engines=lambda library, player: engines,
        players=players,
        settings=replace(CycleSettings(fewest_trajectories=5), **settings),  # type: ignore[arg-type]
        clock_ms=CLOCK,
    )
    return run_cycle(store.context(CLOCK()), parts)


def stage(report: CycleReport, name: str) -> Mapping[str, int]:
    (found,) = [each for each in report.stages if each.stage == name]
    return found.counts


def test_an_agent_has_run_on_its_models_since_they_were_first_seen(store: AnalysisStore) -> None:
    runs = [("old", 0, ["m1"]), ("new", 1, ["m1", "m2"]), ("newest", 2, ["m2"])]
    store.client.insert(
        "trajectories",
        [
            [name, "other", models, START + timedelta(days=day), "closed", 1.0, 1]
            for name, day, models in runs
        ],
        column_names=[
            *("TrajectoryId", "AgentName", "Models", "Start", "State", "Completeness", "Version")
        ],
    )
    (agent,) = [each for each in agents_of(store.context(), fewest=3) if each.name == "other"]
    assert agent.models == ("m2",)
    assert agent.models_since == START + timedelta(days=1)


def test_without_a_model_it_says_what_it_skipped(store: AnalysisStore) -> None:
    report = cycle(store, KnownPlayers(available=False), Engine())
    assert [each.state for each in report.stages if each.stage == "experiments"] == ["skipped"]
    assert any("name a model" in note for note in report.whole.notes)
    assert report.whole.state == "done"
    assert report.whole.tokens == 0


def test_without_a_budget_nothing_is_played(store: AnalysisStore) -> None:
    players = KnownPlayers()
    report = cycle(store, players, Engine(), caps=Caps(tokens=0))
    assert players.target.played == []
    assert report.whole.state == "stopped"


def test_a_cycle_that_is_killed_comes_to_the_verdicts_of_one_that_is_not(
    store: AnalysisStore,
) -> None:
    players, engine = KnownPlayers(), Engine()
    for dies_at in (10, 75, 120):  # screening, then validity, then experiments
        players.dies_at = dies_at
        with pytest.raises(KeyboardInterrupt):
            cycle(store, players, engine)
    players.dies_at = None
    report = cycle(store, players, engine)
    assert report.resumed
    assert stage(report, "experiments")["ship"] == 1
    assert len(players.target.played) == len(set(players.target.played))
    assert engine.calls == 1
    verdicts = {trial.intervention: trial.verdict for trial in load_trials(store.context())}
    assert verdicts["verification"] == "ship"
    assert verdicts["stop_rule"] != "ship"
    assert "instruction_refinement" not in verdicts  # it was never tested
    assert stage(report, "experiments")["tested"] == 2
    (screened,) = load_candidates(store.context(), agent=AGENT, states=("screened",))
    assert screened.intervention == "instruction_refinement"
    assert screened.reasons == ("no better on 12 open scenarios of its pattern",)
    (release,) = [r for r in load_releases(store.context(), agent=AGENT) if r.state == "proposed"]
    assert GOOD in release.configuration.system_prompt()
    (strategy,) = load_strategies(store.context())
    assert strategy.intervention == "verification"
