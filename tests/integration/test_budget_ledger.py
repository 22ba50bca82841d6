"""Tokens and money of the loop, on the real engine."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from spanloop.optimizer.cycle.ledger import BudgetLedger, Caps, Left, Purpose
from spanloop.optimizer.models import BudgetExhausted
from tests.support.analysis import AnalysisStore, open_analysis_store

NOW_MS = 1_900_000_000_000
AGENT = Purpose(stage="experiments", role="agent", agent="a", purpose="an experiment")


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    directory: Path = tmp_path_factory.mktemp("ledger")
    opened = open_analysis_store(directory)
    yield opened
    opened.client.close()


def ledger(store: AnalysisStore, cycle: str, *, caps: Caps, start_ms: int = NOW_MS) -> BudgetLedger:
    ticks = count(start_ms)
    return BudgetLedger(store.context(), cycle, caps=caps, clock_ms=lambda: next(ticks))


def test_what_is_spent_is_no_longer_left(store: AnalysisStore) -> None:
    book = ledger(store, "c1", caps=Caps(tokens=1000))
    with book.lease(AGENT, tranche=300) as lease:
        assert lease.max_tokens == 1000
        with lease.reserve(100, None) as call:
            assert book.left() == Left(tokens=700, usd=None)  # an open grant counts in full
            call.settle(60, 0.5)
    assert book.left() == Left(tokens=940, usd=None)
    assert book.spent().usd == 0.5


def test_a_grant_grows_before_what_is_spent(store: AnalysisStore) -> None:
    book = ledger(store, "c2", caps=Caps(tokens=1000))
    with book.lease(AGENT, tranche=100) as lease:
        for spent in range(0, 400, 50):
            with lease.reserve(50, None) as call:
                assert spent + 50 <= 1000 - book.left().tokens <= spent + 150
                call.settle(50, None)


def test_a_lease_is_no_larger_than_what_is_left(store: AnalysisStore) -> None:
    book = ledger(store, "c3", caps=Caps(tokens=100, usd=2.0))
    with book.lease(AGENT, tranche=600) as lease:
        assert (lease.max_tokens, lease.max_usd) == (100, 2.0)
        with pytest.raises(BudgetExhausted):
            lease.reserve(101, 0.1)
        lease.reserve(100, 1.0).settle(100, 1.0)
    with pytest.raises(BudgetExhausted, match="c3"), book.lease(AGENT, tranche=1):
        pass


def test_an_error_settles_what_was_spent_before_it(store: AnalysisStore) -> None:
    book = ledger(store, "c4", caps=Caps(tokens=100))

    def fail() -> None:
        with book.lease(AGENT, tranche=50) as lease:
            lease.reserve(10, None).settle(10, None)
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert book.left() == Left(tokens=90, usd=None)


def test_a_dead_process_has_spent_what_it_was_granted(store: AnalysisStore) -> None:
    caps = Caps(tokens=100)
    with ledger(store, "c5", caps=caps).lease(AGENT, tranche=50) as dead:
        dead.reserve(10, None).settle(10, None)
        # What another process finds if this one is gone now:
        heir = ledger(store, "c5", caps=caps, start_ms=NOW_MS + 1000)
        assert heir.forfeit_open() == 1
        assert heir.forfeit_open() == 0
        assert heir.left() == Left(tokens=50, usd=None)


def test_a_day_has_a_cap_over_all_cycles(store: AnalysisStore) -> None:
    day_ms = 86_400_000
    later = NOW_MS + 10 * day_ms
    caps = Caps(tokens=100, tokens_a_day=150)
    with ledger(store, "c6", caps=caps, start_ms=later).lease(AGENT, tranche=100) as lease:
        lease.reserve(100, None).settle(100, None)
    assert ledger(store, "c7", caps=caps, start_ms=later + 1000).left().tokens == 50
    assert ledger(store, "c7", caps=caps, start_ms=later + 2 * day_ms).left().tokens == 100
