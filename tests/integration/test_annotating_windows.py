"""Findings are read window by window: each is written once and taken back only where it holds nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast

import pytest
from clickhouse_connect.driver.client import Client

from spanloop.optimizer.annotations.storing import Scope
from spanloop.optimizer.annotations.writing import write_back
from spanloop.optimizer.context import time_of
from tests.integration.test_annotations import NOW_MS, T0_MS, WISH, Shop, write
from tests.support.analysis import AnalysisStore, open_analysis_store
from tests.support.annotations import KeptSender


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnalysisStore]:
    opened = open_analysis_store(tmp_path_factory.mktemp("windows"))
    yield opened
    opened.client.close()


class Asked:
    """A client that keeps the statements it is asked."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.statements: list[str] = []

    def query(self, query: str, **given: Any) -> Any:
        self.statements.append(query)
        return self._client.query(query, **given)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def show(shop: Shop, patterns: range, *, deleted: int = 0, a_ms: int = 1) -> None:
    """The shop's trajectory shows each pattern, ``a_ms`` after the one before."""
    names = {n: f"{shop.trajectory}-{n:04d}" for n in patterns}
    shop.insert(
        "failure_patterns",
        *({"PatternId": name, "Category": "loop", "Project": "p"} for name in names.values()),
    )
    at = {"TraceId": shop.traces[0], "SpanId": f"{2:016x}", "IsDeleted": deleted}
    shop.insert(
        "pattern_members",
        *(
            {**at, "PatternId": name, "Timestamp": time_of(T0_MS + n * a_ms)}
            for n, name in names.items()
        ),
    )


@pytest.mark.parametrize(("n", "a_ms"), [(17, 0), (18, 1), (19, 86_400_000)])
def test_every_window_is_written_and_taken_back(store: AnalysisStore, n: int, a_ms: int) -> None:
    shop, sender = Shop(store, n), KeptSender()
    show(shop, range(7), a_ms=a_ms)
    told = write(shop, sender, window=2)
    assert (told.found, told.sent, told.retracted) == (7, 7, 0)
    assert write(shop, sender, window=3).unchanged == 7
    show(shop, range(0, 7, 3), deleted=1, a_ms=a_ms)
    told = write(shop, sender, window=2)
    assert (told.found, told.unchanged, told.sent, told.retracted) == (4, 4, 3, 3)
    assert write(shop, sender, window=1).sent == 0
    show(shop, range(7), deleted=1, a_ms=a_ms)
    assert write(shop, sender, window=2).retracted == 4


def test_what_moved_to_another_window_is_not_taken_back(store: AnalysisStore) -> None:
    shop, sender = Shop(store, 20), KeptSender()
    show(shop, range(4))
    assert write(shop, sender, window=1).sent == 4
    moved = {"PatternId": "t20-0000", "TraceId": shop.traces[0], "SpanId": f"{2:016x}"}
    shop.insert("pattern_members", {**moved, "Timestamp": time_of(T0_MS + 9)})
    told = write(shop, sender, window=1)
    assert (told.found, told.unchanged, told.sent) == (4, 4, 0)


def test_findings_are_read_by_one_statement_a_window(store: AnalysisStore) -> None:
    shop, sender = Shop(store, 21), KeptSender()
    show(shop, range(1_203))
    asked = Asked(store.client)
    context = replace(store.context(NOW_MS), client=cast(Client, asked))
    wish = replace(WISH, scope=Scope(agents=(shop.agent,)))
    assert write_back(context, sender, wish, clock_ms=lambda: NOW_MS).kinds[0].sent == 1_203
    assert len(set(sender.ids())) == 1_203
    kinds = [line.split("\n", 1)[0] for line in asked.statements]
    assert sum("Trajectories of production that show" in kind for kind in kinds) == 1
    assert sum("What stands at an endpoint" in kind for kind in kinds) == 1
