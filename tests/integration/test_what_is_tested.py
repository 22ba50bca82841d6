"""What a cycle leaves untested: what could not be shown, and guesses where the library knows something."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from spanloop.optimizer.candidates.candidate import Intervention
from spanloop.optimizer.candidates.stored import load_candidates
from spanloop.optimizer.gate import GateSettings
from spanloop.optimizer.releases import load_releases
from spanloop.optimizer.replay.episode import EpisodeRequest
from spanloop.optimizer.scenarios.scenario import Split
from spanloop.optimizer.strategies import (
    load_strategies,
    load_trials,
    record_trial,
    save_strategies,
)
from tests.support.analysis import AnalysisStore
from tests.support.cycles import AGENT, KnownEngine, KnownPlayers, Where, cycle, open_shop, stage
from tests.support.experiments import TOKENS
from tests.support.strategies import STRATEGY, TRIAL

COMMON, OTHER, RARE = "c" * 32, "o" * 32, "r" * 32
TEXTS = {COMMON: "Check twice.", OTHER: "Ask once.", RARE: "It takes 30 days."}


def engine(name: str, *patterns: str, text: str = "") -> KnownEngine:
    """Return an engine that says ``text``, or what mends it, about some patterns."""
    fix: Intervention = "verification"
    return KnownEngine({each: [(fix, text or TEXTS[each])] for each in patterns}, name=name)


def truth(request: EpisodeRequest) -> bool:
    """What is done about the pattern of a situation mends it."""
    (pattern,) = request.scenario.pattern_ids
    return TEXTS[pattern] in request.configuration.system_prompt()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[AnalysisStore]:
    opened = shop(tmp_path, other=29)
    yield opened
    opened.client.close()


@pytest.fixture
def uneven(tmp_path: Path) -> Iterator[AnalysisStore]:
    opened = shop(tmp_path, other=15)
    yield opened
    opened.client.close()


def shop(
    directory: Path,
    *,
    other: int,
    rare: str = "verification",
    cases: Mapping[str, str] | None = None,
) -> AnalysisStore:
    """Open a shop with ``other`` locked scenarios of the other pattern, the rare one of a category."""
    counts: Mapping[tuple[Split, str], int] = {
        ("test", COMMON): 30,
        ("test", OTHER): other,
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
    return open_shop(
        directory, {**dict.fromkeys(TEXTS, "verification"), RARE: rare}, situations, cases=cases
    )


def test_where_nothing_could_be_shown_nothing_is_played(store: AnalysisStore) -> None:
    players = KnownPlayers(truth)
    report = cycle(store, players, engine("template", RARE))

    (note,) = [note for note in report.whole.notes if "more traffic is needed" in note]
    assert "2% of traffic" in note
    assert (players.target.played, report.whole.tokens) == ([], 0)
    (left,) = [each for each in load_candidates(store.context(), agent=AGENT) if each.edits]
    assert left.state == "deferred"
    assert left.reasons[0] in note


def test_an_edit_for_a_special_case_may_be_shown_on_all_of_its_pattern(tmp_path: Path) -> None:
    """The rare failure is the common one in certain runs: what mends it there may mend it everywhere."""
    opened = shop(tmp_path, other=29, cases={RARE: COMMON})

    def mends(request: EpisodeRequest) -> bool:
        told = request.configuration.system_prompt()
        return TEXTS[RARE] in told and OTHER not in request.scenario.pattern_ids

    report = cycle(opened, KnownPlayers(mends), engine("template", RARE))
    releases = load_releases(opened.context(), agent=AGENT)
    opened.client.close()
    assert stage(report, "experiments")["ship"] == 1
    (proposed,) = [each for each in releases if each.state == "proposed"]
    assert TEXTS[RARE] in proposed.configuration.system_prompt()


def test_where_there_are_too_few_scenarios_nothing_is_played(store: AnalysisStore) -> None:
    players = KnownPlayers(truth)
    for settings in ({"fewest_scenarios": 61}, {"fewest_scenarios": 61, "screen_scenarios": 0}):
        report = cycle(store, players, engine("template", COMMON), **settings)
        assert any("60 scenarios for a gate, fewer than 61" in each for each in report.whole.notes)
    assert players.target.played == []


def test_what_waited_for_traffic_is_no_guess_that_waited(store: AnalysisStore) -> None:
    library, guesses = engine("library", COMMON), engine("template", OTHER)
    cycle(store, KnownPlayers(truth), library, guesses, fewest_scenarios=61)

    report = cycle(store, KnownPlayers(truth), library, guesses)
    assert stage(report, "screening")["deferred"] == 1


def test_what_could_not_be_shown_costs_no_test_and_no_level(store: AnalysisStore) -> None:
    """Together they could be shown; of the two, the one that helps cannot."""
    useless = KnownEngine({COMMON: [("verification", "Be nice.")]}, name="other")
    played: list[Split] = []

    def noting(request: EpisodeRequest) -> bool:
        played.append(request.scenario.split)
        return truth(request)

    report = cycle(store, KnownPlayers(noting), engine("template", RARE), useless)

    (note,) = [note for note in report.whole.notes if "more traffic is needed" in note]
    assert "2% of traffic" in note
    (left,) = load_candidates(store.context(), agent=AGENT, states=("deferred",))
    assert left.reasons[0] in note
    # Neither the test, nor production on what it would have been tested on.
    assert set(played) == {"train"}
    assert store.rows("SELECT count() AS n FROM holdout_ledger") == [{"n": 0}]
    assert store.rows("SELECT count() AS n FROM experiments") == [{"n": 0}]


def test_what_the_library_has_proven_is_worked_on_first(tmp_path: Path) -> None:
    """However rare: with one pattern a cycle, the frequent ones would else be drawn nearly always."""
    opened = shop(tmp_path, other=29, rare="loop")
    entry = replace(STRATEGY, category="loop", intervention="stop_rule", state="proven")
    save_strategies(opened.context(), [entry])
    record_trial(opened.context(), replace(TRIAL, category="loop", intervention="stop_rule"))

    cycle(opened, KnownPlayers(truth), engine("template", *TEXTS), patterns=1)
    made = load_candidates(opened.context(), agent=AGENT)
    opened.client.close()
    assert {each.pattern_id for each in made} == {RARE}


def test_guesses_wait_where_something_known_helps(store: AnalysisStore) -> None:
    library, guesses = engine("library", COMMON), engine("template", OTHER)
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
    library = engine("library", COMMON, text="Be nice.")
    report = cycle(store, KnownPlayers(truth), library, engine("template", OTHER))

    states = {
        each.engine: each.state
        for each in load_candidates(store.context(), agent=AGENT)
        if each.edits
    }
    assert states == {"library": "screened", "template": "shipped"}
    assert "deferred" not in stage(report, "screening")


def test_guesses_wait_once_for_what_runs_now(store: AnalysisStore) -> None:
    # It helps on open scenarios, and no locked scenario shows its pattern enough: it never ships.
    library, guesses = engine("library", RARE), engine("template", OTHER)
    first = cycle(store, KnownPlayers(truth), library, guesses)
    assert stage(first, "screening")["deferred"] == 1
    assert stage(first, "experiments")["tested"] == 0

    second = cycle(store, KnownPlayers(truth), library, guesses)
    assert "deferred" not in stage(second, "screening")
    assert stage(second, "experiments")["ship"] == 1


def test_a_member_that_only_open_scenarios_like_wins_nothing(store: AnalysisStore) -> None:
    def mends(request: EpisodeRequest) -> bool:
        """What is done about the other pattern was learned by heart."""
        by_heart = OTHER in request.scenario.pattern_ids and request.scenario.split == "test"
        return truth(request) and not by_heart

    report = cycle(store, KnownPlayers(mends), engine("template", COMMON, OTHER))

    assert stage(report, "experiments")["ship"] == 1
    trials = {trial.pattern_id: trial for trial in load_trials(store.context())}
    assert (trials[COMMON].verdict, trials[COMMON].effect) == ("ship", 1.0)
    assert (trials[OTHER].verdict, trials[OTHER].effect) == ("inconclusive", 0.0)
    (entry,) = load_strategies(store.context())
    assert entry.origin_experiment == trials[COMMON].experiment_id


EPISODES_A_LIFE = 9


def test_a_cycle_that_is_killed_again_and_again_says_what_it_said(uneven: AnalysisStore) -> None:
    """What shipped second is guarded from then on, and must not make the first look hopeless."""
    gate = GateSettings(gold_share=1.0, max_cost_ratio=None, max_latency_ratio=None)
    players = KnownPlayers(truth, gate=gate)
    known = engine("template", COMMON, OTHER, RARE)
    died = 0
    while True:
        players.dies_at = len(players.target.played) + EPISODES_A_LIFE
        try:
            cycle(uneven, players, known, edits_a_test=1)
        except KeyboardInterrupt:
            died += 1
        else:
            break

    assert died > 10
    shipped = load_candidates(uneven.context(), agent=AGENT, states=("shipped",))
    assert {each.pattern_id for each in shipped} == {COMMON, OTHER}
    tests = uneven.rows("SELECT count() AS n FROM experiments FINAL WHERE Purpose = 'gate'")
    assert tests == [{"n": 2}]
    assert len(players.target.played) == len(set(players.target.played))
