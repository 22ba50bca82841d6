"""Train scenarios are played for a search as episodes are, and apart from experiments."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from spanloop.optimizer.cycle.open_play import OpenPlay
from spanloop.optimizer.cycle.parts import Procedure as Bounds
from spanloop.optimizer.cycle.state import Unavailable
from spanloop.optimizer.cycle.train_player import TrainPlayer
from spanloop.optimizer.experiments.parts import ExperimentParts
from spanloop.optimizer.models import BudgetExhausted, Lease, ModelFailure
from spanloop.optimizer.models.rate_limit import RateLimiter, RateLimits
from tests.support.analysis import AnalysisStore, open_analysis_store
from tests.support.experiments import (
    BASELINE,
    TOKENS,
    KnownAssessor,
    KnownTarget,
    candidate,
    rates,
    ticks,
)
from tests.support.scenarios import scenario

TRAIN = [scenario(f"s{n}") for n in range(4)]


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("train") / "db")
    yield opened
    opened.client.close()


def parts_of(target: KnownTarget, lease: Lease) -> ExperimentParts:
    target.lease = lease
    return ExperimentParts(
        target=target,
        assessor=KnownAssessor(target),
        lease=lease,
        limiter=RateLimiter(RateLimits(in_flight=2)),
        recover=target.recover,
        clock_ms=ticks(),
        pause_s=0.0,
    )


def player(store: AnalysisStore, target: KnownTarget, search_id: str) -> TrainPlayer:
    return TrainPlayer(
        store.context(),
        lambda lease: parts_of(target, lease),
        search_id=search_id,
        testing=lambda: Bounds(target="replay"),
    )


def test_each_is_played_and_judged_once_and_stored_apart(store: AnalysisStore) -> None:
    target, lease = KnownTarget(rates(0.0, 1.0)), Lease(max_tokens=10**6)
    one = player(store, target, "one")
    assert [p.score for p in one.play(TRAIN, BASELINE, lease=lease)] == [0.0] * 4
    assert [p.score for p in one.play(TRAIN[:2], candidate(), lease=lease)] == [1.0] * 2
    assert lease.tokens == 6 * TOKENS
    again = player(store, target, "one")  # as after kill -9
    assert [p.score for p in again.play(TRAIN, BASELINE, lease=lease)] == [0.0] * 4
    assert len(target.played) == 6
    rows = store.rows(
        "SELECT DISTINCT startsWith(ExperimentId, 'search-') AS apart, Arm FROM experiment_runs"
    )
    assert rows == [{"apart": 1, "Arm": "candidate"}]
    assert store.rows("SELECT count() AS n FROM experiments") == [{"n": 0}]


def test_what_else_a_configuration_has_played_is_not_given(store: AnalysisStore) -> None:
    target = KnownTarget(rates(0.0, 1.0))
    play = OpenPlay(
        context=store.context(),
        parts=parts_of(target, Lease(max_tokens=10**6)),
        testing=Bounds(target="replay"),
        purpose="screen",
        name="overlap",
    )
    for asked in (TRAIN[:2], TRAIN[1:3], TRAIN[2:3]):
        runs = play.play(asked, BASELINE)
        assert set(runs) == {each.scenario_id for each in asked}
    assert len(target.played) == 3


def test_the_lease_is_kept_and_what_was_played_is_not_lost(store: AnalysisStore) -> None:
    target = KnownTarget(rates(0.0, 1.0))
    two = player(store, target, "two")
    with pytest.raises(BudgetExhausted):
        two.play(TRAIN, BASELINE, lease=Lease(max_tokens=2 * TOKENS))
    two.play(TRAIN, BASELINE, lease=Lease(max_tokens=2 * TOKENS))
    assert len(target.played) == 4


def test_a_failed_run_has_no_score_and_says_how_it_ended(store: AnalysisStore) -> None:
    three = player(store, KnownTarget(lambda request: "crashed"), "three")
    (played,) = three.play(TRAIN[:1], BASELINE, lease=Lease(max_tokens=10**6))
    assert (played.score, played.told) == (None, "ended as crashed")


def test_other_splits_and_missing_targets_are_refused(store: AnalysisStore) -> None:
    lease = Lease(max_tokens=10**6)
    with pytest.raises(ValueError, match="train scenarios only"):
        player(store, KnownTarget(rates(0, 1)), "four").play(
            [scenario("locked", split="test")], BASELINE, lease=lease
        )

    def unavailable() -> Bounds:
        raise Unavailable("name a model")

    four = TrainPlayer(
        store.context(), lambda lease: pytest.fail("no"), search_id="f", testing=unavailable
    )
    with pytest.raises(ModelFailure, match="name a model"):
        four.play(TRAIN, BASELINE, lease=lease)
