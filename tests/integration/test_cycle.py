"""A cycle on the real engine, with an agent whose truth is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from spanloop.optimizer.candidates.candidate import Intervention
from spanloop.optimizer.candidates.stored import load_candidates
from spanloop.optimizer.cycle.cycle import agents_of
from spanloop.optimizer.cycle.ledger import Caps
from spanloop.optimizer.releases import load_releases
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.scenarios.scenario import Split
from spanloop.optimizer.strategies import Trial, load_strategies, load_trials
from tests.support.analysis import AnalysisStore
from tests.support.cycles import AGENT, KnownEngine, KnownPlayers, cycle, open_shop, stage
from tests.support.experiments import chance
from tests.support.scenario_runs import START

PATTERN = "p" * 32
GOOD, LEARNED, MUTE = "Check twice.", "It is always 42.", "Answer nothing."


FIXES: Mapping[str, Sequence[tuple[Intervention, str]]] = {
    PATTERN: [("verification", GOOD), ("stop_rule", LEARNED), ("instruction_refinement", MUTE)]
}
"""A good edit, one that fits train scenarios alone and a hopeless one."""


def truth(request: EpisodeRequest) -> bool:
    """Only the good edit satisfies more users; one more seems to, on train scenarios."""
    prompt = request.configuration.system_prompt()
    train = request.scenario.split == "train"
    if MUTE in prompt:
        return False
    if LEARNED in prompt and train:
        return True
    # A dozen train scenarios must tell each edit from what it is tried on, whatever ids the cycle draws.
    bad, good = (0.1, 0.65) if train else (0.3, 0.9)
    return chance(request.run_id) < (good if GOOD in prompt else bad)


def shop(directory: Path) -> AnalysisStore:
    split: Mapping[str, Split] = {
        **{f"test-{n}": "test" for n in range(60)},
        **{f"train-{n}": "train" for n in range(12)},
    }
    situations = {name: (side, PATTERN) for name, side in split.items()}
    return open_shop(directory, {PATTERN: "verification"}, situations)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnalysisStore]:
    opened = shop(tmp_path)
    yield opened
    opened.client.close()


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
    report = cycle(store, KnownPlayers(truth, available=False), KnownEngine(FIXES))
    assert [each.state for each in report.stages if each.stage == "experiments"] == ["skipped"]
    assert any("name a model" in note for note in report.whole.notes)
    assert report.whole.state == "done"
    assert report.whole.tokens == 0


def test_without_a_budget_nothing_is_played(store: AnalysisStore) -> None:
    players = KnownPlayers(truth)
    report = cycle(store, players, KnownEngine(FIXES), caps=Caps(tokens=0))
    assert players.target.played == []
    assert report.whole.state == "stopped"


class Told(NamedTuple):
    """What a cycle said and taught; ``paid``: the episodes that it played, in any order."""

    paid: set[str]
    trials: list[Trial]
    verdicts: list[dict[str, object]]


def told(store: AnalysisStore, players: KnownPlayers) -> Told:
    assert len(players.target.played) == len(set(players.target.played))
    return Told(
        set(players.target.played),
        [replace(trial, recorded_at=START) for trial in load_trials(store.context())],
        store.rows(
            "SELECT ExperimentId, Verdict, EValue, Effect FROM experiments FINAL ORDER BY ALL"
        ),
    )


@pytest.fixture
def alone(tmp_path: Path) -> Told:
    """A cycle that nothing disturbs, on another store."""
    opened, players = shop(tmp_path / "alone"), KnownPlayers(truth)
    cycle(opened, players, KnownEngine(FIXES))
    said = told(opened, players)
    opened.client.close()
    return said


def test_a_cycle_that_is_killed_comes_to_the_verdicts_of_one_that_is_not(
    alone: Told, tmp_path: Path
) -> None:
    store, players, engine = shop(tmp_path / "killed"), KnownPlayers(truth), KnownEngine(FIXES)
    for dies_at in (10, 75, 120):  # screening, then validity, then experiments
        players.dies_at = dies_at
        with pytest.raises(KeyboardInterrupt):
            cycle(store, players, engine)
    players.dies_at = None
    report = cycle(store, players, engine)
    assert report.resumed
    assert stage(report, "experiments")["ship"] == 1
    assert engine.calls == 1
    assert told(store, players) == alone
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
    store.client.close()
