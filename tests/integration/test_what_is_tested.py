"""What a cycle leaves untested: what could not be shown, and guesses where the library knows something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from spanloop.optimizer.candidates.candidate import Edit, PatternBrief, Proposal
from spanloop.optimizer.candidates.stored import load_candidates
from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.models import Lease
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.scenarios.scenario import Split
from tests.support.analysis import AnalysisStore
from tests.support.cycles import AGENT, KnownPlayers, Where, cycle, open_shop, stage
from tests.support.experiments import TOKENS

COMMON, OTHER, RARE = "c" * 32, "o" * 32, "r" * 32
TEXTS = {COMMON: "Check twice.", OTHER: "Ask once.", RARE: "It takes 30 days."}


@dataclass
class Engine:
    """Says ``text``, or what mends it, about some patterns."""

    name: str
    patterns: Sequence[str]
    text: str = ""

    def propose(
        self, brief: PatternBrief, configuration: AgentConfiguration, *, lease: Lease, n: int
    ) -> Sequence[Proposal]:
        if brief.pattern_id not in self.patterns:
            return []
        text = self.text or TEXTS[brief.pattern_id]
        edit = Edit(component="instructions", operation="add", text=text)
        return [Proposal(engine=self.name, intervention="verification", edits=(edit,))]


def truth(request: EpisodeRequest) -> bool:
    """What is done about the pattern of a situation mends it."""
    (pattern,) = request.scenario.pattern_ids
    return TEXTS[pattern] in request.configuration.system_prompt()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnalysisStore]:
    counts: Mapping[tuple[Split, str], int] = {
        ("test", COMMON): 30,
        ("test", OTHER): 29,
        ("test", RARE): 1,
        ("train", COMMON): 6,
        ("train", OTHER): 6,
        ("train", RARE): 6,
    }
    situations: Mapping[str, Where] = {
        f"{split}-{pattern[0]}-{n}": (split, pattern)
        for (split, pattern), count in counts.items()
        for n in range(count)
    }
    opened = open_shop(tmp_path, dict.fromkeys(TEXTS, "verification"), situations)
    yield opened
    opened.client.close()


def test_what_could_not_be_shown_costs_no_test_and_no_level(store: AnalysisStore) -> None:
    report = cycle(store, KnownPlayers(truth), Engine("template", [RARE]))

    (note,) = [note for note in report.whole.notes if "more traffic is needed" in note]
    assert "2% of traffic" in note
    assert stage(report, "experiments")["tested"] == 0
    assert store.rows("SELECT count() AS n FROM holdout_ledger") == [{"n": 0}]
    assert store.rows("SELECT count() AS n FROM experiments") == [{"n": 0}]


def test_guesses_wait_where_something_known_helps(store: AnalysisStore) -> None:
    library, guesses = Engine("library", [COMMON]), Engine("template", [OTHER])
    players = KnownPlayers(truth)
    report = cycle(store, players, library, guesses)

    states = {
        each.engine: each.state
        for each in load_candidates(store.context(), agent=AGENT)
        if each.edits
    }
    assert states == {"library": "shipped", "template": "deferred"}
    assert stage(report, "screening")["deferred"] == 1
    # One library entry: production and it on 6 open scenarios, validity, both arms of the test.
    assert report.whole.tokens == TOKENS * len(players.target.played)
    assert len(players.target.played) <= 2 * 6 + 3 * 60


def test_guesses_are_tried_where_nothing_known_helps(store: AnalysisStore) -> None:
    library = Engine("library", [COMMON], text="Be nice.")
    report = cycle(store, KnownPlayers(truth), library, Engine("template", [OTHER]))

    states = {
        each.engine: each.state
        for each in load_candidates(store.context(), agent=AGENT)
        if each.edits
    }
    assert states == {"library": "screened", "template": "shipped"}
    assert "deferred" not in stage(report, "screening")
