"""Edits that each mend their own fault are tested, shipped and remembered together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import pytest

from benchmarks.evolve.spending import cost_by_stage
from spanloop.optimizer.candidates.candidate import Intervention
from spanloop.optimizer.candidates.stored import load_candidates
from spanloop.optimizer.releases import load_releases
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.scenarios.scenario import Split
from spanloop.optimizer.strategies import load_strategies, load_trials
from tests.support.analysis import AnalysisStore
from tests.support.cycles import AGENT, KnownEngine, KnownPlayers, cycle, open_shop, stage

CLAIMS, FACTS = "c" * 32, "f" * 32
FIXES: Mapping[str, Sequence[tuple[Intervention, str]]] = {
    CLAIMS: (("verification", "Check twice."), ("stop_rule", "Ask once.")),
    FACTS: (("context_injection", "It takes 30 days."),),
}
EDITS = [edit for edits in FIXES.values() for edit in edits]


def truth(request: EpisodeRequest) -> bool:
    """Each edit mends its own part of a fault: of claims, one mends every other situation."""
    (pattern,) = request.scenario.pattern_ids
    edits = FIXES[pattern]
    number = int(request.scenario.scenario_id.rpartition("-")[2])
    return edits[number % len(edits)][1] in request.configuration.system_prompt()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    splits: Sequence[tuple[Split, int]] = (("test", 20), ("train", 10))
    opened = open_shop(
        tmp_path_factory.mktemp("bundle"),
        {CLAIMS: "verification", FACTS: "context_gap"},
        {
            f"{pattern[0]}-{split}-{n}": (split, pattern)
            for pattern in FIXES
            for split, count in splits
            for n in range(count)
        },
    )
    yield opened
    opened.client.close()


def test_those_that_help_together_take_one_test(store: AnalysisStore) -> None:
    report = cycle(store, KnownPlayers(truth), KnownEngine(FIXES))

    assert stage(report, "experiments")["tested"] == 1
    assert stage(report, "experiments")["ship"] == 1
    (release,) = [r for r in load_releases(store.context(), agent=AGENT) if r.state == "proposed"]
    assert all(text in release.configuration.system_prompt() for _, text in EDITS)
    candidates = load_candidates(store.context(), agent=AGENT)
    (together,) = [each for each in candidates if each.engine == "bundle"]
    assert [each.state for each in candidates] == ["shipped"] * 4
    assert {each.reasons for each in candidates if each is not together} == {
        (f"in bundle {together.candidate_id}",)
    }


def test_each_is_remembered_by_what_it_did_to_its_own_fault(store: AnalysisStore) -> None:
    trials = load_trials(store.context())

    assert {(t.pattern_id, t.intervention, t.effect) for t in trials} == {
        (CLAIMS, "verification", 0.5),  # together they mend all of it
        (CLAIMS, "stop_rule", 0.5),
        (FACTS, "context_injection", 1.0),
    }
    assert len({trial.experiment_id for trial in trials}) == 1
    assert {each.intervention for each in load_strategies(store.context())} == {
        intervention for intervention, _ in EDITS
    }


def test_together_they_are_one_improvement_in_what_it_cost(store: AnalysisStore) -> None:
    told = cost_by_stage(store.client, store.renderer)

    assert (told["shipped"], told["decided"]) == (1, 1)
    spent = {stage["stage"]: stage["tokens_a_shipped"] for stage in told["stages"]}
    assert spent["experiments"] > 0
