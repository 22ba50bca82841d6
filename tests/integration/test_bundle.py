"""Edits that each mend their own fault are tested, shipped and remembered together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest

from spanloop.optimizer.candidates.candidate import Edit, Intervention, PatternBrief, Proposal
from spanloop.optimizer.candidates.stored import load_candidates
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.models import Lease
from spanloop.optimizer.releases import load_releases
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.scenarios.scenario import Split
from spanloop.optimizer.strategies import load_strategies, load_trials
from tests.support.analysis import AnalysisStore
from tests.support.cycles import AGENT, KnownPlayers, cycle, open_shop, stage

CLAIMS, FACTS = "c" * 32, "f" * 32
FIXES: Mapping[str, tuple[Intervention, str]] = {
    CLAIMS: ("verification", "Check twice."),
    FACTS: ("context_injection", "It takes 30 days."),
}


@dataclass
class Engine:
    """Knows what mends each fault."""

    name: str = "template"

    def propose(
        self, brief: PatternBrief, configuration: AgentConfiguration, *, lease: Lease, n: int
    ) -> Sequence[Proposal]:
        intervention, text = FIXES[brief.pattern_id]
        edit = Edit(component="instructions", operation="add", text=text)
        return [Proposal(engine=self.name, intervention=intervention, edits=(edit,))]


def truth(request: EpisodeRequest) -> bool:
    (pattern,) = request.scenario.pattern_ids
    return FIXES[pattern][1] in request.configuration.system_prompt()


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    splits: Sequence[tuple[Split, int]] = (("test", 20), ("train", 6))
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


def test_two_that_help_together_take_one_test(store: AnalysisStore) -> None:
    report = cycle(store, KnownPlayers(truth), Engine())

    assert stage(report, "experiments")["tested"] == 1
    assert stage(report, "experiments")["ship"] == 1
    (release,) = [r for r in load_releases(store.context(), agent=AGENT) if r.state == "proposed"]
    assert all(text in release.configuration.system_prompt() for _, text in FIXES.values())
    candidates = load_candidates(store.context(), agent=AGENT)
    (together,) = [each for each in candidates if each.engine == "bundle"]
    assert [each.state for each in candidates] == ["shipped"] * 3
    assert {each.reasons for each in candidates if each is not together} == {
        (f"in bundle {together.candidate_id}",)
    }


def test_each_is_remembered_by_what_it_did_to_its_own_fault(store: AnalysisStore) -> None:
    trials = load_trials(store.context())

    assert {(trial.pattern_id, trial.intervention) for trial in trials} == {
        (pattern, intervention) for pattern, (intervention, _) in FIXES.items()
    }
    assert [trial.effect for trial in trials] == [1.0, 1.0]
    assert len({trial.experiment_id for trial in trials}) == 1
    assert {each.intervention for each in load_strategies(store.context())} == {
        intervention for intervention, _ in FIXES.values()
    }
