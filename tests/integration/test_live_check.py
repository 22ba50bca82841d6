"""The live check on the real engine: a canary rolled back, promoted, left alone; a fall after promotion."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from spanloop.optimizer.configuration import AgentConfiguration
from spanloop.optimizer.context import time_of
from spanloop.optimizer.releases import (
    LiveSettings,
    LiveVerdict,
    Release,
    ReleaseProposal,
    approve,
    check_live,
    current_release,
    load_events,
    load_releases,
    propose_release,
    register,
    roll_back,
)
from spanloop.optimizer.releases.assignment import in_canary
from tests.support.analysis import AnalysisStore, open_analysis_store

NOW = 1_900_000_000_000
MINUTE = 60_000
FIRST = AgentConfiguration(components={"instructions": "Be brief."})
SETTINGS = LiveSettings(mode="canary", canary_share=0.3)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("live") / "db")
    yield opened
    opened.client.close()


@pytest.fixture(autouse=True)
def _empty(store: AnalysisStore) -> None:
    for table in (
        "releases",
        "release_events",
        "trajectories",
        "trajectory_satisfaction",
        "trajectory_traces",
        "assessments",
    ):
        store.client.command(f"TRUNCATE TABLE {table}")


def begin(store: AnalysisStore, share: float = 0.3) -> tuple[Release, Release]:
    """Register, and begin a canary; return the current release and the canary."""
    current = register(store.context(NOW), "support", FIRST)
    return current, propose(store, "c1", NOW + 1, FIRST, share=share)


def propose(
    store: AnalysisStore,
    name: str,
    now_ms: int,
    baseline: AgentConfiguration,
    *,
    share: float = 0.3,
) -> Release:
    proposal = ReleaseProposal(
        agent="support",
        configuration=AgentConfiguration(components={"instructions": name}),
        baseline_hash=baseline.hash,
        candidate_id=name,
        experiment_id=f"e-{name}",
    )
    return propose_release(store.context(now_ms), proposal, mode="canary", share=share)


def traffic(
    store: AnalysisStore,
    ids: Sequence[str],
    *,
    canary: Release | None,
    rates: dict[str, float],
    since_ms: int = NOW + 5 * MINUTE,
    labels: bool = False,
    **columns: Any,
) -> None:
    """Store closed trajectories, one a second, each under the release that its id gives."""
    rng = np.random.default_rng(3)
    rows, outcomes = [], []
    for i, name in enumerate(ids):
        release = next(iter(rates))
        if canary is not None and in_canary(name, canary.release_id, canary.share):
            release = canary.release_id
        start = time_of(since_ms + i * 1_000)
        rows.append([name, "default", name, "support", release, start, "closed", 1])
        outcomes.append([name, float(rng.random() < rates[release])])
    names = ["TrajectoryId", "Project", "ConversationId", "AgentName", "Release", "Start", "State"]
    for column, value in columns.items():
        names.append(column)
        rows = [[*row[:-1], value(row[0]) if callable(value) else value, row[-1]] for row in rows]
    store.client.insert("trajectories", rows, column_names=[*names, "Version"])
    if labels:
        given = [[n, "default", n, "label", "satisfaction", s, 1] for n, s in outcomes]
        columns_ = ["AssessmentId", "Project", "ConversationId", "Source", "Name", "Satisfied"]
        store.client.insert("assessments", given, column_names=[*columns_, "Version"])
    else:
        store.client.insert(
            "trajectory_satisfaction",
            [[n, s, 1] for n, s in outcomes],
            column_names=["TrajectoryId", "Probability", "Version"],
        )


def names(n: int, prefix: str = "c") -> list[str]:
    return [f"{prefix}-{i}" for i in range(n)]


def check(
    store: AnalysisStore, settings: LiveSettings = SETTINGS, minutes: int = 120
) -> LiveVerdict:
    return check_live(store.context(NOW + minutes * MINUTE), "support", settings)


def states(store: AnalysisStore) -> list[str]:
    return [r.state for r in load_releases(store.context())]


@pytest.mark.parametrize("labels", [True, False])
def test_a_worse_canary_is_rolled_back_with_its_evidence(
    store: AnalysisStore, labels: bool
) -> None:
    current, canary = begin(store)
    rates = {current.release_id: 0.8, canary.release_id: 0.4}
    traffic(store, names(300), canary=canary, rates=rates, labels=labels)
    verdict = check(store, LiveSettings())  # whatever the mode
    assert (verdict.decision, verdict.release_id) == ("rolled_back", canary.release_id)
    assert states(store) == ["current", "rolled_back"]
    event = load_events(store.context(), release=canary.release_id)[-1]
    assert (event["action"], event["actor"]) == ("rolled_back", "spanloop")
    evidence = event["evidence"]
    assert evidence == verdict.evidence
    assert evidence["e_worse"] >= 10
    assert evidence["low"] <= -0.4 <= evidence["high"] < 0
    assert (evidence["labelled"], evidence["scored"]) == ((300, 0) if labels else (0, 300))
    stored = load_releases(store.context())[1].live
    assert (stored.effect, stored.n) == (evidence["effect"], evidence["n"])
    assert check(store).decision == "nothing"


def test_a_better_canary_is_promoted_by_evidence_or_by_a_person(store: AnalysisStore) -> None:
    current, canary = begin(store)
    rates = {current.release_id: 0.5, canary.release_id: 0.8}
    traffic(store, names(400), canary=canary, rates=rates)
    manual = check(store, LiveSettings(mode="manual"))
    assert (manual.decision, states(store)) == ("ready", ["current", "canary"])
    assert check(store).decision == "promoted"
    now = current_release(store.context(), "support")
    assert now is not None
    assert (now.release_id, now.previous) == (canary.release_id, current.release_id)
    assert now.live.effect is not None
    assert now.live.effect > 0


def test_an_equal_canary_waits_and_only_auto_ends_the_waiting(store: AnalysisStore) -> None:
    current, canary = begin(store)
    rates = {current.release_id: 0.6, canary.release_id: 0.6}
    traffic(store, names(300), canary=canary, rates=rates)
    tight = LiveSettings(mode="canary", margin=0.01, horizon=250)
    assert check(store, tight).decision == "continue"
    auto = LiveSettings(mode="auto", margin=0.2, promote_level=1e-6, horizon=250)
    decided = check(store, auto)
    assert (decided.decision, "experiment decides" in decided.reason) == ("promoted", True)


def test_what_does_not_count(store: AnalysisStore) -> None:
    """Experiments' runs, open ones, other agents, and what began before agents had heard of the share."""
    current, canary = begin(store)
    rates = {current.release_id: 0.9, canary.release_id: 0.1}
    early: dict[str, Any] = {"since_ms": NOW + 2}
    traffic(store, names(50, "early"), canary=canary, rates=rates, **early)
    traffic(store, names(50, "run"), canary=canary, rates=rates, RunId=lambda name: name)
    traffic(store, names(50, "open"), canary=canary, rates=rates)
    store.client.command(
        "INSERT INTO trajectories SELECT * REPLACE ('open' AS State, 2 AS Version) FROM trajectories "
        "WHERE startsWith(TrajectoryId, 'open')"
    )
    assert canary.share == 0.3
    verdict = check(store)
    assert (verdict.decision, verdict.evidence["n"]) == ("continue", 0)
    traffic(store, names(20, "bare"), canary=None, rates={"": 0.5})
    assert check(store).evidence["unstamped"] == 20


def test_a_grown_share_is_reckoned_with(store: AnalysisStore) -> None:
    current, canary = begin(store, share=0.1)
    rates = {current.release_id: 0.3, canary.release_id: 0.3}
    traffic(store, names(300, "a"), canary=canary, rates=rates)
    grown = approve(
        store.context(NOW + 20 * MINUTE), canary.release_id, "ann", "looks well", share=0.6
    )
    better = {current.release_id: 0.9, canary.release_id: 0.9}
    traffic(store, names(300, "b"), canary=grown, rates=better, since_ms=NOW + 25 * MINUTE)
    verdict = check(store)
    assert verdict.decision == "continue"  # pooled means would differ by 0.25
    assert verdict.evidence["low"] <= 0 <= verdict.evidence["high"]
    assert verdict.evidence["e_mismatch"] < 1_000


def test_a_canary_whose_conversations_vanish_is_not_promoted(store: AnalysisStore) -> None:
    current, canary = begin(store)
    all_ids = names(1_500)
    lost = [n for n in all_ids if in_canary(n, canary.release_id, 0.2)]
    kept = sorted(set(all_ids) - set(lost), key=all_ids.index)
    rates = {current.release_id: 0.5, canary.release_id: 0.9}
    traffic(store, kept, canary=canary, rates=rates)
    verdict = check(store)
    assert (verdict.decision, "mismatch" in verdict.reason) == ("continue", True)
    assert states(store) == ["current", "canary"]


def test_where_users_are_assigned_each_counts_once(store: AnalysisStore) -> None:
    current, canary = begin(store)
    rates = {current.release_id: 0.5, canary.release_id: 0.5}
    traffic(store, names(90), canary=canary, rates=rates, UserId=lambda n: f"u{int(n[2:]) % 30}")
    by_user = check(store, LiveSettings(unit="user"))
    assert by_user.evidence["n"] + by_user.evidence["n_other"] == 30
    by_conversation = check(store)
    assert by_conversation.evidence["n"] + by_conversation.evidence["n_other"] == 90


def test_after_promotion_a_fall_rolls_back_to_what_was_before(store: AnalysisStore) -> None:
    current = register(store.context(NOW), "support", FIRST)
    traffic(store, names(300, "was"), canary=None, rates={current.release_id: 0.8})
    made = propose(store, "c1", NOW + 30 * MINUTE, FIRST)
    approve(store.context(NOW + 31 * MINUTE), made.release_id, "ann")
    fallen = {made.release_id: 0.5}
    since: dict[str, Any] = {"since_ms": NOW + 33 * MINUTE}
    traffic(store, names(40, "is"), canary=None, rates={made.release_id: 0.8}, **since)
    assert check(store).decision == "continue"
    traffic(store, names(300, "then"), canary=None, rates=fallen, since_ms=NOW + 40 * MINUTE)
    verdict = check(store)
    assert (verdict.decision, verdict.release_id) == ("rolled_back", made.release_id)
    assert "not drawn by chance" in verdict.evidence["method"]
    now = current_release(store.context(), "support")
    assert now is not None
    assert now.release_id == current.release_id


def test_what_a_person_registered_is_not_taken_away(store: AnalysisStore) -> None:
    first = register(store.context(NOW), "support", FIRST)
    traffic(store, names(300, "was"), canary=None, rates={first.release_id: 0.9})
    other = AgentConfiguration(components={"instructions": "Other."})
    second = register(store.context(NOW + 30 * MINUTE), "support", other)
    since: dict[str, Any] = {"since_ms": NOW + 33 * MINUTE}
    traffic(store, names(300, "is"), canary=None, rates={second.release_id: 0.1}, **since)
    assert check(store).decision == "nothing"


def test_a_release_that_waits_gets_the_free_place(store: AnalysisStore) -> None:
    _, canary = begin(store)
    waiting = propose(store, "c2", NOW + 2, FIRST)
    assert waiting.state == "proposed"
    roll_back(store.context(NOW + 3), canary.release_id, "ann")
    assert check(store, LiveSettings(mode="manual")).decision == "nothing"
    begun = check(store)
    assert (begun.decision, begun.release_id) == ("begun", waiting.release_id)
    assert check(store).decision == "continue"


def test_an_agent_that_nobody_registered_has_nothing_to_check(store: AnalysisStore) -> None:
    assert check(store).decision == "nothing"
