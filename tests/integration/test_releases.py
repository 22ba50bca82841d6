"""Releases on the real engine: registered, proposed, approved, rolled back, with a trail of all of it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.context import Context, time_of
from spanloop.optimizer.releases import (
    By,
    Release,
    ReleaseConflict,
    ReleaseProposal,
    approve,
    configuration_by_hash,
    current_release,
    load_events,
    load_releases,
    load_served,
    propose_release,
    refuse,
    register,
    roll_back,
)
from spanloop.optimizer.releases.stored import change_mark
from spanloop.processor.errors import SpanloopError
from tests.support.analysis import AnalysisStore, open_analysis_store

FIRST = AgentConfiguration(components={"instructions": "Be brief."}, tools={"search": True})
BETTER = AgentConfiguration(components={"instructions": "Be brief. Check first."})


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("releases") / "db")
    yield opened
    opened.client.close()


@pytest.fixture(autouse=True)
def _empty(store: AnalysisStore) -> None:
    for table in ("releases", "release_events", "candidates"):
        store.client.command(f"TRUNCATE TABLE {table}")


def proposal(baseline: AgentConfiguration = FIRST, candidate: str = "c1") -> ReleaseProposal:
    return ReleaseProposal(
        agent="support",
        configuration=BETTER,
        baseline_hash=baseline.hash,
        candidate_id=candidate,
        experiment_id="e1",
        effect=0.08,
        evidence={"e_value": 31.5},
    )


def test_what_was_registered_comes_back_as_it_was(store: AnalysisStore) -> None:
    assert current_release(store.context(), "support") is None
    made = register(
        store.context(1_000),
        "support",
        FIRST,
        by=By(actor="ann", at=time_of(1_000), reason="as it runs"),
    )
    found = current_release(store.context(), "support")
    assert found == made
    assert found is not None
    assert (found.number, found.state, found.share, found.configuration) == (1, "current", 1, FIRST)
    assert register(store.context(2_000), "support", FIRST) == made
    assert current_release(store.context(), "other") is None


def test_manual_waits_and_canary_begins_by_itself(store: AnalysisStore) -> None:
    register(store.context(1_000), "support", FIRST)
    waiting = propose_release(store.context(2_000), proposal())
    assert (waiting.state, waiting.effect) == ("proposed", 0.08)
    canary = propose_release(store.context(3_000), proposal(), mode="canary", share=0.2)
    assert (canary.release_id, canary.state, canary.share) == (waiting.release_id, "canary", 0.2)
    second = propose_release(store.context(4_000), proposal(candidate="c2"), mode="auto")
    assert second.state == "proposed"  # the place of the canary is taken
    assert [r.state for r in load_served(store.context())] == ["current", "canary"]


def test_a_candidate_of_another_baseline_waits_and_is_not_approved(store: AnalysisStore) -> None:
    register(store.context(1_000), "support", FIRST)
    other = AgentConfiguration(components={"instructions": "Old."})
    waiting = propose_release(store.context(2_000), proposal(other), mode="auto")
    assert waiting.state == "proposed"
    with pytest.raises(ReleaseConflict, match="not current any more"):
        approve(store.context(3_000), waiting.release_id, "ann")
    assert refuse(store.context(4_000), waiting.release_id, "ann", "stale").state == "refused"


def test_the_trail_says_who_did_what_why_and_on_what_evidence(store: AnalysisStore) -> None:
    first = register(store.context(1_000), "support", FIRST)
    made = propose_release(store.context(2_000), proposal())
    approve(store.context(3_000), made.release_id[:8], "ann", "looks right", share=0.1)
    roll_back(store.context(4_000), made.release_id, "ben", "angry calls", evidence={"calls": 3})
    trail = load_events(store.context(), agent="support")
    assert [(e["action"], e["actor"], e["reason"]) for e in trail] == [
        ("registered", "spanloop", ""),
        ("promoted", "spanloop", ""),
        ("proposed", "spanloop", "experiment e1 says ship"),
        ("approved", "ann", "looks right"),
        ("canary", "ann", "looks right"),
        ("rolled_back", "ben", "angry calls"),
    ]
    assert [e["evidence"] for e in trail[2:]] == [
        {"e_value": 31.5},
        {},
        {"share": 0.1},
        {"calls": 3},
    ]
    assert load_events(store.context(), release=first.release_id) == trail[:2]


def test_rolling_back_the_current_one_serves_the_one_before(store: AnalysisStore) -> None:
    first = register(store.context(1_000), "support", FIRST)
    made = propose_release(store.context(2_000), proposal())
    assert approve(store.context(3_000), made.release_id, "ann").state == "current"
    assert roll_back(store.context(3_000), made.release_id, "ann").state == "rolled_back"
    now = current_release(store.context(), "support")
    assert now is not None
    assert (now.release_id, now.configuration) == (first.release_id, FIRST)


def test_a_configuration_is_found_by_its_hash_wherever_it_is_tested(store: AnalysisStore) -> None:
    register(store.context(1_000), "support", FIRST)
    store.client.command(
        "INSERT INTO candidates (CandidateId, Project, AgentName, State, ConfigurationHash, Configuration)"
        " VALUES ('c1', 'default', 'support', 'testing', {hash:String}, {body:String})",
        parameters={"hash": BETTER.hash, "body": BETTER.model_dump_json()},
    )

    def found(hash_: str, project: str = "default") -> AgentConfiguration | None:
        return configuration_by_hash(store.context(), "support", hash_, project=project)

    assert found(FIRST.hash) == FIRST
    assert found(BETTER.hash) == BETTER
    assert found("0" * 32) is None
    assert found(FIRST.hash, "another") is None


def test_candidates_that_are_not_under_test_are_not_found_by_their_hash(
    store: AnalysisStore,
) -> None:
    bodies = {version: BETTER.model_copy(update={"version": version}) for version in "abc"}
    for name, state, hash_, body in (
        ("c1", "empty", "", ""),
        ("c2", "testing", "1" * 32, ""),
        ("c3", "rejected", "2" * 32, FIRST.model_dump_json()),
        *((f"d-{v}", "testing", b.hash, b.model_dump_json()) for v, b in reversed(bodies.items())),
    ):
        store.client.command(
            "INSERT INTO candidates"
            " (CandidateId, Project, AgentName, State, ConfigurationHash, Configuration)"
            " VALUES ({name:String}, 'default', 'support', {state:String}, {hash:String}, {body:String})",
            parameters={"name": name, "state": state, "hash": hash_, "body": body},
        )

    def found(hash_: str) -> AgentConfiguration | None:
        return configuration_by_hash(store.context(), "support", hash_, project="default")

    assert [found(hash_) for hash_ in ("", "1" * 32, "2" * 32)] == [None, None, None]
    assert found(BETTER.hash) == bodies["a"]  # the same one every time


def test_of_many_who_want_the_canary_at_once_one_gets_it(store: AnalysisStore) -> None:
    register(store.context(1_000), "support", FIRST)
    made = [
        propose_release(store.context(2_000 + i), proposal(candidate=f"c{i}")) for i in range(6)
    ]

    def want(release: Release) -> Release | SpanloopError:
        try:
            return approve(own_context(store), release.release_id, "ann", share=0.1)
        except ReleaseConflict as conflict:
            return conflict

    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(want, made))
    assert sum(isinstance(answer, Release) for answer in answers) == 1
    assert [r.state for r in load_releases(store.context())].count("canary") == 1
    assert sorted(r.number for r in load_releases(store.context())) == list(range(1, 8))


def own_context(store: AnalysisStore) -> Context:
    return store.context(9_000)


def test_the_mark_changes_with_every_change_and_only_then(store: AnalysisStore) -> None:
    marks = [change_mark(store.context())]
    made = register(store.context(1_000), "support", FIRST)
    marks.append(change_mark(store.context()))
    assert change_mark(store.context()) == marks[-1]
    propose_release(store.context(2_000), proposal())
    marks.append(change_mark(store.context()))
    register(store.context(2_000), "support", BETTER)
    marks.append(change_mark(store.context()))
    assert len(set(marks)) == 4
    assert made.version == 1_000
